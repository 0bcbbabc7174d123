//! The bucket in which Lambda keeps the events that it gave up, an object each.

use aws_sdk_s3::Client;

use super::{OperatorError, called};

/// The failed events of a stack.
#[derive(Clone, Debug)]
pub struct FailedEvents {
    client: Client,
    bucket: String,
}

/// Some of the objects' keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys in their order, which for one function is the order of time.
    pub keys: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl FailedEvents {
    pub(super) fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.to_owned() }
    }

    /// Lists up to a thousand keys that begin with `prefix`. What is removed meanwhile does not move the next page.
    ///
    /// # Errors
    /// There is no such bucket, or it must not be seen.
    pub async fn list(&self, prefix: &str, from: Option<String>) -> Result<Page, OperatorError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let answer = request.set_continuation_token(from).send().await;
        let page = answer.map_err(|error| called("ListObjectsV2", error))?;
        let keys = page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned));
        Ok(Page { keys: keys.collect(), next: page.next_continuation_token().map(ToOwned::to_owned) })
    }

    /// Reads an object: an event of a megabyte or six, and what became of it.
    ///
    /// # Errors
    /// It is gone, or must not be read.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, OperatorError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = request.send().await.map_err(|error| called("GetObject", error))?;
        let body = answer.body.collect().await;
        let body =
            body.map_err(|error| OperatorError::Unanswered { operation: "GetObject", source: error.into() })?;
        Ok(body.to_vec())
    }

    /// Removes an object.
    ///
    /// # Errors
    /// It must not be removed.
    pub async fn remove(&self, key: &str) -> Result<(), OperatorError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map(|_| ()).map_err(|error| called("DeleteObject", error))
    }
}
