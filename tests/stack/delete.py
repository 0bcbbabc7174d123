"""`sam delete` takes everything along but the bucket of what was never read."""

import botocore.exceptions

from .deploy import STACK
from .say import check
from .world import World


def run(world: World) -> None:
    world.deployment.delete()
    cloudformation = world.aws.client("cloudformation")
    try:
        left = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except botocore.exceptions.ClientError:
        left = "DELETE_COMPLETE"
    check(left == "DELETE_COMPLETE", "the stack is gone")
    logs, names = world.aws.client("logs"), world.names
    tables = world.aws.client("dynamodb").list_tables()["TableNames"]
    functions = [it["FunctionName"] for it in world.aws.client("lambda").list_functions()["Functions"]]
    roles = [it["RoleName"] for it in world.aws.client("iam").list_roles()["Roles"]]
    topics = [it["TopicArn"] for it in world.aws.client("sns").list_topics()["Topics"]]
    schedules = [it["Name"] for it in world.aws.client("scheduler").list_schedules()["Schedules"]]
    groups = [it["logGroupName"] for it in logs.describe_log_groups()["logGroups"]]
    filters = logs.describe_subscription_filters(logGroupName=world.log_group)["subscriptionFilters"]
    left = [it for it in (*tables, *functions, *roles, *topics, *schedules, *groups) if it in names.values()]
    check(not left and not filters, f"with its table, functions, roles, topics, schedule, log groups and filter {left or ''}")
    check(world.log_group in groups, "the app's log group stays")
    buckets = [it["Name"] for it in world.aws.client("s3").list_buckets()["Buckets"]]
    check(names["FailedEventsBucket"] in buckets, "the bucket of failed deliveries stays")
