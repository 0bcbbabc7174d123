//! The function: takes invocations from Lambda's runtime and hands each to [`queuewatch::function`].

mod clock;

use clock::now;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use queuewatch::adapters::aws::client::{Account, Clients};
use queuewatch::adapters::aws::cloudwatch::CloudWatchMetrics;
use queuewatch::adapters::aws::dynamodb::DynamoTable;
use queuewatch::adapters::aws::event_bus::EventBus;
use queuewatch::adapters::aws::heartbeat::Heartbeat;
use queuewatch::adapters::aws::otlp::{Metrics, OtlpEndpoint};
use queuewatch::adapters::aws::sns::{SnsAlarms, Topics};
use queuewatch::config::function::{Account as Known, FunctionConfig, MetricsFormat};
use queuewatch::domain::envelope::Limits;
use queuewatch::durable::TableLedger;
use queuewatch::function::{Answer, Function, Outside, log};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::start();
    let config = FunctionConfig::from_environment().inspect_err(|error| log::refused(error))?;
    let clients = Clients::new(account(config.account));
    let event_bus = config.event_bus.map(|bus| EventBus::new(clients.clone(), bus, now));
    let heartbeat = &config.heartbeat_url.map(|url| Heartbeat::new(url.reveal().to_owned()));
    let table = DynamoTable::new(clients.dynamodb(), &config.table);
    let otlp =
        (config.metrics_format == MetricsFormat::Otlp).then(|| OtlpEndpoint::new(clients.clone(), now));
    let metrics = Metrics::new(CloudWatchMetrics::new(clients.cloudwatch()), otlp);
    let topics = Topics { email: config.email_topic_arn, chat: config.chat_topic_arn };
    let alarms = SnsAlarms::new(clients.sns(), topics).with_event_bus(event_bus);
    let function = &Function {
        role: config.role,
        policy: config.config.policy().clone(),
        classifier: config
            .config
            .classifier()
            .inspect_err(|error| log::refused(error))?
            .in_account(config.account_id),
        limits: Limits::default(),
        own_log_groups: config.own_log_groups,
    };
    // Another for each process, also where one is restarted within its log stream.
    let owner = format!("{}-{:x}-{:x}", config.container, std::process::id(), now().as_ms());
    let store = TableLedger::new(table, &function.policy, owner);
    let outside = &Mutex::new(Outside { store, metrics, alarms });
    // The future is boxed: the compiler follows no deeper.
    let invoke = |event: LambdaEvent<Box<RawValue>>| {
        Box::pin(async move {
            let mut outside = outside.lock().await;
            let result = function.handle(event.payload.get().as_bytes(), now(), &mut outside).await;
            log::outcome(&result, &event.context.request_id);
            if let (Ok(Answer::Swept), Some(heartbeat)) = (&result, heartbeat)
                && let Err(error) = heartbeat.beat().await
            {
                log::heartbeat(&error);
            }
            result.map_err(Diagnostic::from)
        })
    };
    lambda_runtime::run(service_fn(invoke)).await
}

fn account(known: Known) -> Account {
    Account {
        region: known.region,
        access_key_id: known.access_key_id,
        secret_access_key: known.secret_access_key.reveal().to_owned(),
        session_token: known.session_token.map(|token| token.reveal().to_owned()),
        endpoint: known.endpoint,
        dynamodb_endpoint: known.dynamodb_endpoint,
    }
}
