//! queuewatch finds background jobs that are enqueued and never processed, from CloudWatch Logs alone.
//!
//! # The way of a line
//!
//! 1. [`delivery`] tells by its keys what has arrived. [`domain::envelope`] opens a payload: base64, strict gzip under
//!    a cap, JSON, and hands its lines out one by one.
//! 2. [`domain::reading`] keys and stamps each line, and [`domain::systems`] says what it tells: an observation, or
//!    nothing. Together they make a [`domain::intake::DeliveryRecord`].
//! 3. [`domain::ledger`] joins the record to what is known of every job. It only merges, so order, repetition and
//!    splitting change nothing.
//! 4. Once a minute a sweep looks at it queue by queue ([`domain::queues`]), decides what could be seen of each job
//!    ([`domain::visibility`]), and asks one detector a kind ([`domain::detectors`]) what opens, goes on or is over
//!    ([`domain::incidents`]). [`domain::sweep`] is the order of that, and makes a plan which leaves no choice to whoever
//!    carries it out.
//! 5. [`message`] puts incidents into words. [`app`] is the order of these steps, over the three [`ports`].
//!
//! [`replay`] drives the same `app` with a virtual clock and [`adapters`] that record; [`report`] prints what came of it.
//! [`watch`] drives it on one machine, with the lines of live files.
//!
//! # Arrows
//!
//! Everything under [`domain`] is pure: no clock, files, environment, network, logging or `async`; time is an argument
//! called `now`. `domain` imports only itself; `app` imports `domain`, `message` and `ports`; adapters import `ports` and
//! `domain`; only the binaries ask the machine. A test holds the code to this.
//!
//! # Where do I add …
//!
//! - a line form: a file in its system's folder of `domain/systems`, its place at the gate of the reader there, its row in
//!   `forms.rs`, a case for each line it declines; a wrapper of lines: a row of `domain/systems/wrappers`;
//! - a line that Laravel should write: `integrations/laravel`, and its form in `domain/systems/laravel/queued.rs`;
//! - an incident kind: [`domain::incidents::Kind`] and its payload in [`domain::incidents::Detail`], a file in
//!   `domain/detectors`, its turn in `domain/sweep.rs`, its words in `message`, a story in `tests/scenarios`;
//! - evidence that a job was consumed where nobody could see it: a file in `domain/visibility`, and its place in `decide`;
//! - a metric: [`domain::metric::Metric`], and whoever counts it;
//! - a store: a [`ports::table::Table`] in `adapters`, held to `tests/support/table_contract.rs`;
//! - a key of the configuration: `config/raw.rs` and its check, and the field of [`domain::model::policy::Policy`] that the core asks;
//! - a channel that messages go by on one machine: [`domain::model::channel::Channel`], and `adapters/notify`;
//! - something a function does with what arrives: `function`, over the same [`app`];
//! - a way events may be saved: [`saved`]; a way they may arrive: [`delivery`].

pub mod adapters;
pub mod app;
pub mod config;
pub mod delivery;
pub mod doctor;
pub mod domain;
pub mod durable;
#[cfg(feature = "function")]
pub mod function;
pub mod message;
pub mod pack;
pub mod ports;
pub mod redrive;
pub mod replay;
pub mod report;
pub mod saved;
pub mod watch;
