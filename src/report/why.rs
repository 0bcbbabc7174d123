//! The diagnosis of an incident, as the JSON contract has it: the same strings that commands and webhooks get.

pub use crate::message::Explanation as DiagnosisRow;
