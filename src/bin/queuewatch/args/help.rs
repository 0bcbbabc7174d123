//! What stands below the help of a command: exit statuses and examples.

pub(super) const REPLAY_HELP: &str = "\
Exit status: 0 it ran; 1 a notification fired (with --exit-code);
2 a path or the configuration could not be read, a folder holds no events, or
nothing given is a saved event (the rest is still replayed).

Examples:
  queuewatch replay events/
  aws logs filter-log-events --log-group-name /ecs/app --output json > yesterday.json
  queuewatch replay yesterday.json
  queuewatch replay yesterday.json --versus cloudwatch --report yesterday.html";

pub(super) const WATCH_HELP: &str = "\
Exit status: 0 it was stopped (SIGINT, SIGTERM), or its input ended; 1 the
same, and a notification fired (with --exit-code); 2 the configuration or the
state could not be read or written.

Examples:
  queuewatch watch storage/logs/laravel.log storage/logs/worker.log
  queuewatch watch --from-start 'storage/logs/*.log'
  php artisan queue:work 2>&1 | tee worker.log | queuewatch watch - storage/logs/laravel.log";

pub(super) const ANSWER_HELP: &str = "\
Exit status: 0 it is noted; 2 no such incident is open, the folder holds no state
of a watch, or the stack did not take it.

Examples:
  queuewatch answer stalled-redis-default-20251206T1237Z seen
  queuewatch answer stalled silence 2h --reason migration
  queuewatch answer stalled-redis-default-20251206T1237Z close --reason flushed --stack queuewatch";

pub(super) const CLOSE_HELP: &str = "\
Exit status: 0 it is noted; 2 no such incident is open, the folder holds no state
of a watch, or the stack did not take it.

Examples:
  queuewatch close stalled-redis-default-20251206T1237Z --reason 'flushed by hand'
  queuewatch close stalled-redis-default-20251206T1237Z --reason flushed --stack queuewatch";

pub(super) const SILENCE_HELP: &str = "\
Exit status: 0 it is noted; 2 the time cannot be read or is over, or the folder
holds no state of a watch.

Example:
  queuewatch silence reports --until 2026-12-01T18:00:00Z --reason migration";

pub(super) const DOCTOR_HELP: &str = "\
Exit status: 0 nothing is wrong; 1 something is; 2 the stack could not be looked up.
An open incident is shown, and is only wrong where it says that queuewatch cannot see.

Credentials and region come from the environment (AWS_ACCESS_KEY_ID, AWS_REGION …),
or else from the AWS CLI and its profile (AWS_PROFILE).";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  queuewatch completions bash > ~/.local/share/bash-completion/completions/queuewatch
  queuewatch completions zsh > \"${fpath[1]}/_queuewatch\"
  queuewatch completions fish > ~/.config/fish/completions/queuewatch.fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  queuewatch man > ~/.local/share/man/man1/queuewatch.1
  queuewatch man replay > ~/.local/share/man/man1/queuewatch-replay.1";

pub(super) const REDRIVE_HELP: &str = "\
Exit status: 0 everything was delivered; 1 something is left; 2 something could not be read,
or AWS not be asked. After five failures one after the other it stops: the function is ill.

Credentials and region come from the environment (AWS_ACCESS_KEY_ID, AWS_REGION …),
or else from the AWS CLI and its profile (AWS_PROFILE).

Examples:
  queuewatch redrive --dry-run
  queuewatch redrive --stack queuewatch
  queuewatch redrive --function NAME saved/";
