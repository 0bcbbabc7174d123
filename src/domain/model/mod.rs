//! Types that many rooms share, and no logic beyond their own laws.

pub mod channel;
pub mod policy;
pub mod queue_ref;
pub mod silence;
pub mod wake;
