//! Plain CloudWatch alarms over log lines: what an operator would have had without queuewatch.
//!
//! Lines go into [`logs::Logs`]. A [`logs::Metric`] is what a metric filter makes of them, minute by minute;
//! [`math`] puts metrics together; [`alarm::Alarm`] looks at the result each minute, by the rules of [`evaluate`]; and
//! [`baseline`] holds the alarms that people put on queues.
//!
//! It knows nothing of queuewatch, and has no clock: the lines bring their times.

pub mod alarm;
pub mod baseline;
pub mod evaluate;
pub mod logs;
pub mod math;
