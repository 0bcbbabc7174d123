//! Where queuewatch itself sits, and so what a message can tell its reader to run.

/// Where the ledger lies, and how an operator's word gets there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deployment {
    /// On AWS: lines come from CloudWatch Logs, and whoever invokes the function that sweeps is heard.
    #[default]
    Aws,
    /// In a process that follows files and keeps what it knows in this folder, where it is heard, too.
    Folder(String),
    /// In a process that keeps nothing: nobody else gets at it, and what it knows ends with it.
    Process,
}

impl Deployment {
    /// Whether CloudWatch Logs can be asked for the lines that were read.
    #[must_use]
    pub const fn is_on_aws(&self) -> bool {
        matches!(self, Self::Aws)
    }
}
