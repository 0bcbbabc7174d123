//! `queuewatch doctor`: what is wrong with a deployed stack. It finds out; the library judges.

use queuewatch::adapters::aws::client::Clients;
use queuewatch::adapters::aws::dynamodb::DynamoTable;
use queuewatch::adapters::aws::operator::{OperatorError, Stack, Subscribers};
use queuewatch::doctor::{
    Facts, FailedEventsFacts, GroupFacts, StackFacts, StreamFacts, TopicFacts, examine, is_wrong, render,
};
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::model::policy::Policy;
use queuewatch::durable::{Kept, TableLedger};

use crate::args::DoctorArguments;
use crate::clock::now;
use crate::replay::chain;
use crate::{LEFT, RAN, output};

pub(super) async fn run(arguments: &DoctorArguments, clients: &Clients) -> anyhow::Result<u8> {
    let stack = super::stack(clients, &arguments.stack).await?;
    let facts = find_out(clients, &stack, now()).await?;
    let checks = examine(&facts);
    output::print(&render(&facts.stack, &checks))?;
    Ok(if is_wrong(&checks) { LEFT } else { RAN })
}

async fn find_out(clients: &Clients, stack: &Stack, now: Timestamp) -> Result<Facts, OperatorError> {
    let place = Place::of(stack);
    let app = stack.parameters.get("App").cloned().unwrap_or_else(|| Policy::default().app);
    let ingest = stack.output("IngestFunctionName")?;
    let mut topics = vec![topic(clients, "mail", stack.output("EmailTopicArn")?).await];
    if let Some(arn) = stack.outputs.get("ChatTopicArn") {
        topics.push(topic(clients, "chat", arn).await);
    }
    let stream = match stack.parameters.get("KinesisStreamArn") {
        Some(arn) => Some(stream(clients, arn, ingest).await),
        None => None,
    };
    Ok(Facts {
        now,
        kept: kept(clients, stack.output("LedgerTableName")?, &app, now).await,
        groups: groups(clients, stack, &place, ingest).await,
        stream,
        topics,
        failed_events: failed_events(clients, stack.output("FailedEventsBucketName")?).await,
        stack: StackFacts {
            name: place.name,
            region: place.region,
            status: stack.status.clone(),
            app,
            sweep_function: stack.output("SweepFunctionName")?.to_owned(),
        },
    })
}

/// Where a stack is, as its ARN tells: `arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/ID`.
struct Place {
    partition: String,
    region: String,
    account: String,
    name: String,
}

impl Place {
    fn of(stack: &Stack) -> Self {
        let mut parts = stack.arn.split([':', '/']).map(ToOwned::to_owned);
        let mut part = |n| parts.nth(n).unwrap_or_default();
        let (partition, region, account, name) = (part(1), part(1), part(0), part(1));
        Self { partition, region, account, name }
    }
}

async fn kept(clients: &Clients, table: &str, app: &str, now: Timestamp) -> Result<Kept, String> {
    let policy = Policy { app: app.to_owned(), ..Policy::default() };
    let ledger = TableLedger::new(DynamoTable::new(clients.dynamodb(), table), &policy, "doctor".to_owned());
    ledger.read_only(now).await.map_err(|error| chain(&error))
}

/// The groups that the stack was told to read. A second that is the first counts as none, as in the template.
async fn groups(clients: &Clients, stack: &Stack, place: &Place, ingest: &str) -> Vec<GroupFacts> {
    let Place { partition, region, account, name } = place;
    let ingest_arn = format!("arn:{partition}:lambda:{region}:{account}:function:{ingest}");
    let pattern = stack.parameters.get("FilterPattern").map_or("", String::as_str);
    let told = [("LogGroupName", "first"), ("SecondLogGroupName", "second")];
    let mut groups: Vec<GroupFacts> = Vec::new();
    for (parameter, which) in told {
        let Some(log_group) = stack.parameters.get(parameter) else { continue };
        if groups.iter().any(|known| known.log_group == *log_group) {
            continue;
        }
        let filters = clients.feeds().filters(log_group).await;
        let is_subscribed = filters.map(|filters| filters.iter().any(|it| it.destination_arn == ingest_arn));
        groups.push(GroupFacts {
            log_group: log_group.clone(),
            is_subscribed: is_subscribed.map_err(told_by),
            subscribe_command: format!(
                "aws logs put-subscription-filter --region {region} --log-group-name '{log_group}' --filter-name \
                 '{name}-{which}' --filter-pattern '{pattern}' --destination-arn {ingest_arn}"
            ),
        });
    }
    groups
}

async fn stream(clients: &Clients, arn: &str, ingest: &str) -> StreamFacts {
    let mappings = clients.feeds().mappings(ingest).await;
    let mapping = mappings.map(|mappings| {
        let own = mappings.into_iter().find(|mapping| mapping.stream_arn == arn)?;
        Some((own.state, own.result))
    });
    StreamFacts { arn: arn.to_owned(), mapping: mapping.map_err(told_by) }
}

async fn topic(clients: &Clients, name: &'static str, arn: &str) -> TopicFacts {
    let subscribers = clients.subscriptions().of(arn).await;
    let counts = |it: Subscribers| (it.confirmed_count, it.pending_count);
    TopicFacts { name, arn: arn.to_owned(), subscribers: subscribers.map(counts).map_err(told_by) }
}

async fn failed_events(clients: &Clients, bucket: &str) -> Result<FailedEventsFacts, String> {
    let page = clients.failed_events(bucket).list("", None).await.map_err(told_by)?;
    Ok(FailedEventsFacts { count: page.keys.len(), has_more: page.next.is_some() })
}

fn told_by(error: impl std::error::Error) -> String {
    chain(&error)
}
