//! AWS, over the SDK.

pub mod client;
pub mod cloudwatch;
pub mod dynamodb;
#[cfg(test)]
#[path = "loopback_tests.rs"]
mod loopback;
pub mod sns;
