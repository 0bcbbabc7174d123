//! AWS, over the SDK.

pub mod client;
pub mod cloudwatch;
pub mod dynamodb;
pub mod event_bus;
pub mod heartbeat;
#[cfg(test)]
#[path = "loopback_tests.rs"]
mod loopback;
#[cfg(feature = "aws")]
pub mod operator;
pub mod otlp;
pub mod signed;
pub mod sns;
