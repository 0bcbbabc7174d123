//! Why a message is not delivered, or not yet.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

use crate::domain::model::channel::Channel;
use crate::ports::{Disposed, Disposition};

/// There is nothing to check a server's certificate by.
#[derive(Debug, Error)]
#[error(
    "no root certificate is found to check an https server by: install the system's (ca-certificates), or name a file of \
     them in SSL_CERT_FILE"
)]
pub struct NoRoots {
    /// What could not be read, where there was something to read.
    #[source]
    pub why: Option<Box<rustls_native_certs::Error>>,
}

/// Why a message is not delivered. Each is cured by trying again, or by whoever wrote the configuration.
#[derive(Debug, Error)]
pub enum NotifyError {
    /// Nobody reads our output.
    #[error("cannot print")]
    Print(#[source] io::Error),
    /// It has not been answered for yet.
    #[error("it is on its way")]
    OnItsWay,
    /// The command could not be started.
    #[error("cannot run the command `{program}`")]
    Start {
        /// The program.
        program: String,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// The command failed.
    #[error("the command `{program}` failed with {status}")]
    Failed {
        /// The program.
        program: String,
        /// How.
        status: ExitStatus,
    },
    /// The command ran too long.
    #[error("the command `{program}` was not done after {} s and was killed", limit.as_secs())]
    TooLong {
        /// The program.
        program: String,
        /// How long it may run.
        limit: Duration,
    },
    /// The webhook's server did not take it, or did not say. Its address may be a secret, and is not repeated.
    #[error("the {} did not take it", channel.as_str())]
    Webhook {
        /// Whose.
        channel: Channel,
        /// What it answered, or what went wrong on the way.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The webhook's server could be anybody.
    #[error(transparent)]
    NoRoots(#[from] NoRoots),
    /// The address that waits for us did not answer, or not well.
    #[error("the heartbeat's address was not reached")]
    Heartbeat(#[source] Box<ureq::Error>),
    /// The thread that delivers is gone.
    #[error("nobody delivers any more: start queuewatch again")]
    Gone,
}

impl Disposed for NotifyError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Print(_)
            | Self::OnItsWay
            | Self::Start { .. }
            | Self::Failed { .. }
            | Self::TooLong { .. }
            | Self::Webhook { .. }
            | Self::NoRoots(_)
            | Self::Heartbeat(_)
            | Self::Gone => Disposition::Retry,
        }
    }
}
