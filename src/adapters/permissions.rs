//! What the adapters on AWS have to be allowed: the IAM actions of each function.
//!
//! Outside the feature `aws`, so that the template can be held against it without an SDK. Whoever adds a call adds its
//! action here, and a test then asks for it in the template.

/// What the function that reads logs calls: `Table::get` and `Table::put`.
pub const INGEST_ACTIONS: &[&str] = &["dynamodb:BatchGetItem", "dynamodb:PutItem"];

/// What the function that sweeps calls: all of `Table`, the metric sink, the alarm channel.
pub const SWEEP_ACTIONS: &[&str] = &[
    "cloudwatch:PutMetricData",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "sns:Publish",
];
