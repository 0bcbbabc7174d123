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
//! 4. Once a minute a sweep looks at it queue by queue ([`domain::detect`]) and decides ([`domain::plan`]): incidents
//!    opened, kept, closed; what to say; the gauges. The plan leaves no choice to whoever carries it out.
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
//! - an incident kind: [`domain::incident::Kind`], a file in `domain/plan`, its words in `message`, a story in
//!   `tests/scenarios`;
//! - a metric: [`domain::metric::Metric`], and whoever counts it;
//! - a store: a [`ports::table::Table`] in `adapters`, held to `tests/support/table_contract.rs`;
//! - a key of the configuration: `config/raw.rs` and its check, and the field of [`domain::policy::Policy`] that the core asks;
//! - a place that letters go to on one machine: [`domain::outbox::Topic`], and `adapters/notify`;
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
