//! A stack: what it was told and what it made.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;

use super::{OperatorError, called};

/// CloudFormation's stacks.
#[derive(Clone, Debug)]
pub struct Stacks {
    client: Client,
}

/// What is known of a stack. A parameter that is empty counts as not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Its ARN.
    pub arn: String,
    /// `CREATE_COMPLETE`, `UPDATE_ROLLBACK_COMPLETE` and so on.
    pub status: String,
    /// What it was told.
    pub parameters: BTreeMap<String, String>,
    /// What it says it has made.
    pub outputs: BTreeMap<String, String>,
}

impl Stacks {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Looks one up, by name or ARN.
    ///
    /// # Errors
    /// It does not exist, or must not be seen.
    pub async fn find(&self, name: &str) -> Result<Stack, OperatorError> {
        let request = self.client.describe_stacks().stack_name(name);
        let answer = request.send().await.map_err(|error| called("DescribeStacks", error))?;
        let Some(stack) = answer.stacks().first() else {
            return Err(OperatorError::Missing { what: format!("the stack {name}") });
        };
        let parameters = stack.parameters().iter();
        let outputs = stack.outputs().iter();
        Ok(Stack {
            arn: stack.stack_id().unwrap_or_default().to_owned(),
            status: stack.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            parameters: parameters.filter_map(|it| pair(it.parameter_key(), it.parameter_value())).collect(),
            outputs: outputs.filter_map(|it| pair(it.output_key(), it.output_value())).collect(),
        })
    }
}

fn pair(key: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
    Some((key?.to_owned(), value.filter(|value| !value.is_empty())?.to_owned()))
}

impl Stack {
    /// Something that the template's outputs name.
    ///
    /// # Errors
    /// The stack has no such output: it is not one of queuewatch's, or of an older version.
    pub fn output(&self, name: &str) -> Result<&str, OperatorError> {
        let missing = || OperatorError::Missing { what: format!("the output {name} of {}", self.arn) };
        self.outputs.get(name).map(String::as_str).ok_or_else(missing)
    }
}
