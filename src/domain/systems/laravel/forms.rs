//! Laravel's line forms: which versions print them, what they leave out, and captured lines of each.

use super::super::form::{FormFacts, Sample};
use crate::domain::job::Stage;

/// 5.2 to 9.20. An attempt that throws and is to be tried again prints nothing.
pub(in crate::domain::systems) const BRACKET: FormFacts = FormFacts {
    name: "preset laravel: bracket form (5.2 to 9.20)",
    prints_starts: true,
    prints_retries: false,
    samples: &[Sample {
        before: &[],
        line: r"[2026-11-23 16:49:31][ZHzy7FCeMyxERaZAeqjyTGfa1fXopQ7z] Processing: App\Jobs\SendWelcomeEmail",
        stage: Stage::Processing,
        near: r"[2026-11-23 16:49:31][ZHzy7FCeMyxERaZAeqjyTGfa1fXopQ7z] processing: App\Jobs\SendWelcomeEmail",
    }],
};

/// 9.21 to 9.40, where something was printed between an attempt's start and its end.
pub(in crate::domain::systems) const END_ONLY: FormFacts = FormFacts {
    name: "preset laravel: end of an interrupted column line (9.21 to 9.40)",
    prints_starts: false,
    prints_retries: true,
    samples: &[Sample {
        before: &[
            r#"  2026-11-23 16:59:47 App\Jobs\GenerateInvoicePdf[2026-11-23 16:59:47] production.INFO: Invoice rendered {"ref":4} "#,
        ],
        line: " ............... 28.47ms DONE",
        stage: Stage::Processed,
        near: " ............... 28.47ms DONE.",
    }],
};

/// 9.21 and later; from 9.41 with a line for the start.
pub(in crate::domain::systems) const COLUMNS: FormFacts = FormFacts {
    name: "preset laravel: column form (9.21 and later)",
    prints_starts: true,
    prints_retries: true,
    samples: &[
        Sample {
            before: &[],
            line: r"  2026-11-23 16:52:24 App\Jobs\SyncInventory ......................... RUNNING",
            stage: Stage::Processing,
            near: r" 2026-11-23 16:52:24 App\Jobs\SyncInventory ......................... RUNNING",
        },
        Sample {
            before: &[],
            line: r"  2026-11-23 16:52:40 App\Jobs\ManualFail oG8wjoXn9uagcwzMqro77DZVocWHY8bB redis default  13.49ms 22MB FAIL",
            stage: Stage::Failed,
            near: r"  2026-11-23 16:52:40 App\Jobs\ManualFail oG8wjoXn9uagcwzMqro77DZVocWHY8bB redis default  fast FAIL",
        },
    ],
};

/// `--json`, 11.27 and later.
pub(in crate::domain::systems) const WORKER_JSON: FormFacts = FormFacts {
    name: "preset laravel: queue:work --json (11.27 and later)",
    prints_starts: true,
    prints_retries: true,
    samples: &[Sample {
        before: &[],
        line: r#"{"level":"info","id":"YPLQjgu12pn0wdYXFn2JwQyuGl6NmuQm","uuid":"71a67e92-a0ee-4da8-9e1b-ade0c919581a","connection":"redis","queue":"default","job":"App\\Jobs\\ProcessPodcast","status":"starting","attempts":1,"timestamp":"2026-11-23T16:51:20.872336+00:00"}"#,
        stage: Stage::Processing,
        near: r#"{"level":"info","id":"YPLQjgu12pn0wdYXFn2JwQyuGl6NmuQm","connection":"redis","queue":"default","job":"App\\Jobs\\ProcessPodcast","status":"begun","attempts":1}"#,
    }],
};

/// 5.0, 5.1 and Vapor.
pub(in crate::domain::systems) const BARE: FormFacts = FormFacts {
    name: "preset laravel: bare form (5.0, 5.1 and Vapor)",
    prints_starts: true,
    prints_retries: true,
    samples: &[Sample {
        before: &[],
        line: r"Processing: App\Jobs\SendSms",
        stage: Stage::Processing,
        near: "Processing: order 17",
    }],
};

/// Records that the app logs itself.
pub(in crate::domain::systems) const RECORD: FormFacts = FormFacts {
    name: "preset laravel: log record",
    prints_starts: true,
    prints_retries: true,
    samples: &[Sample {
        before: &[],
        line: r#"[2026-11-23 16:52:24] production.INFO: Job queued {"id":"LIBFyxyhKemLTY8aRwiO5KruZ4Ihaqt1","job":"App\\Jobs\\SyncInventory","queue":"default","uuid":"c97acc54-83ce-4b40-85f4-0fe586acb9a8"} "#,
        stage: Stage::Enqueued,
        near: r#"[2026-11-23 16:52:24] production.INFO: job was queued {"id":"LIBFyxyhKemLTY8aRwiO5KruZ4Ihaqt1"} "#,
    }],
};

/// Whatever runs the workers.
pub(in crate::domain::systems) const PROCESS: FormFacts = FormFacts {
    name: "preset laravel: process line",
    prints_starts: true,
    prints_retries: true,
    samples: &[Sample {
        before: &[],
        line: "/bin/bash: line 1:  9705 Killed                  php artisan queue:work --sleep=1 --json",
        stage: Stage::WorkerStopped,
        near: "/bin/bash: line 1:  9705 Killed                  php artisan migrate",
    }],
};
