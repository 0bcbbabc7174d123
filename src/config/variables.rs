//! The names of the environment variables that are settings of the function.
//!
//! The template sets them; a test holds the two against each other. What Lambda sets by itself is not among them.

/// Each variable that configures the function. An empty one is an unset one.
pub const FUNCTION_VARIABLES: &[&str] = &[
    "QUEUEWATCH_ACCOUNT_ID",
    "QUEUEWATCH_APP",
    "QUEUEWATCH_CHAT_TOPIC_ARN",
    "QUEUEWATCH_CLASS_DIMENSION",
    "QUEUEWATCH_CONFIG",
    "QUEUEWATCH_ECS_CLUSTER",
    "QUEUEWATCH_ECS_SERVICE",
    "QUEUEWATCH_EMAIL_TOPIC_ARN",
    "QUEUEWATCH_EVENT_BUS",
    "QUEUEWATCH_GRACE",
    "QUEUEWATCH_HEARTBEAT_URL",
    "QUEUEWATCH_JOB_TIMEOUT",
    "QUEUEWATCH_LANGUAGE",
    "QUEUEWATCH_METRICS_FORMAT",
    "QUEUEWATCH_ROLE",
    "QUEUEWATCH_TABLE",
    "QUEUEWATCH_TIMEZONE",
];
