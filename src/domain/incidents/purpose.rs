//! What a command is for: the line that a message prints above it.

use serde::{Deserialize, Serialize};

/// What running a command shows or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The end of the file that a worker writes to.
    ReadWorkerFile,
    /// The worker's lines go to its output as well as to its file.
    KeepWorkerLines,
    /// The jobs that failed for good.
    ListFailed,
    /// How many jobs wait, as the app sees it.
    CountWaiting,
    /// Whether a worker runs, and with which options.
    SeeProcesses,
    /// One job, taken by hand.
    RunOneJob,
    /// The tasks that run.
    ListTasks,
    /// The tasks that ended, and why.
    SeeStoppedTasks,
    /// How many tasks should run and do.
    SeeService,
    /// What the containers run, with how much memory, and where their output goes.
    SeeTaskDefinition,
    /// The security groups of the task.
    SeeSecurityGroups,
    /// The caches and their state.
    SeeCaches,
    /// The worker's last lines.
    ReadWorkerLines,
    /// The log streams that got a line last.
    SeeLogStreams,
    /// Who gets the lines of the log group.
    SeeFilters,
    /// Which store the app is told to use.
    SeeStoreSettings,
    /// After how long a job is tried again that nobody ended.
    SeeRetryAfter,
    /// The prefix of the app's keys.
    SeePrefix,
    /// The jobs in the database.
    ListJobsTable,
    /// The failed jobs in the database.
    ListFailedTable,
    /// Another connection for a while.
    SwitchConnection,
    /// The pause ends.
    Resume,
    /// The maintenance ends.
    EndMaintenance,
    /// Workers load their code anew.
    RestartWorkers,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 24] = [
        Self::ReadWorkerFile,
        Self::KeepWorkerLines,
        Self::ListFailed,
        Self::CountWaiting,
        Self::SeeProcesses,
        Self::RunOneJob,
        Self::ListTasks,
        Self::SeeStoppedTasks,
        Self::SeeService,
        Self::SeeTaskDefinition,
        Self::SeeSecurityGroups,
        Self::SeeCaches,
        Self::ReadWorkerLines,
        Self::SeeLogStreams,
        Self::SeeFilters,
        Self::SeeStoreSettings,
        Self::SeeRetryAfter,
        Self::SeePrefix,
        Self::ListJobsTable,
        Self::ListFailedTable,
        Self::SwitchConnection,
        Self::Resume,
        Self::EndMaintenance,
        Self::RestartWorkers,
    ];
}
