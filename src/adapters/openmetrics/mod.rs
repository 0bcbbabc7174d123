//! Metrics for Prometheus: kept as series, written as [OpenMetrics
//! text](https://prometheus.io/docs/specs/om/open_metrics_spec/), served over plain HTTP.

mod series;
mod server;

pub use series::Series;
pub use server::{MetricsServer, ServerError};
