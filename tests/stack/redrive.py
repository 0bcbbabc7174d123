"""A delivery fails while the table is away, is kept, and is delivered again by `queuewatch redrive`."""

import base64
import datetime
import gzip
import json

from . import founding
from .deploy import LOG_GROUP, STACK
from .door import Refusal
from .inbox import Inbox
from .say import check, wait_for
from .world import World

GIVEN_UP_S = 60
NOT_FOUND = b'{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "Requested resource not found"}'


def run(world: World) -> None:
    function, bucket = world.names["IngestFunction"], world.names["FailedEventsBucket"]
    kept = Inbox(world.aws, "given-up")
    # The emulator hands a given-up event to a queue and not to a bucket: the hop from one to the other is made here.
    world.aws.client("lambda").put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": kept.arn}}
    )
    away = table_is_away
    world.door.guards.append(away)
    world.jobs += 1
    line = founding.enqueue(world.jobs, datetime.datetime.now(founding.UTC))
    calls = len(world.door.calls)
    world.invoke("IngestFunction", delivery(line), kind="Event")
    record = wait_for("the delivery is given up while the table is away", GIVEN_UP_S, kept.all)[0]
    refused = [it for it in world.door.calls[calls:] if it.service == "dynamodb" and it.key == world.key("IngestFunction")]
    check(len(refused) >= 3, f"after three attempts, {len(refused)} calls of the table refused")
    world.aws.client("s3").put_object(Bucket=bucket, Key=key(function), Body=json.dumps(record).encode())

    ran = world.command("redrive", "--stack", STACK)
    check(ran.returncode != 0 and "0 delivered" in ran.stderr, f"redrive delivers nothing while it is away: {ran.stderr.strip()}")
    check(len(objects(world, bucket)) == 1, "and the delivery stays in the bucket")

    world.door.guards.remove(away)
    waiting = world.metric("Pending") or 0
    ran = world.command("redrive", "--stack", STACK)
    check((ran.returncode, ran.stderr) == (0, "1 delivered, 0 can never work, 0 left\n"), "redrive delivers it once the table is back")
    check(not objects(world, bucket), "and takes it from the bucket")
    wait_for("its job waits", 90, lambda: world.sweep() and world.metric("Pending") == waiting + 1)


def table_is_away(key: str, service: str, operation: str, body: bytes) -> Refusal | None:
    return Refusal(400, "application/x-amz-json-1.0", NOT_FOUND) if service == "dynamodb" else None


def delivery(line: founding.Line) -> dict:
    """The event that CloudWatch Logs makes of a line."""
    message = {
        "messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": LOG_GROUP, "logStream": line.stream,
        "subscriptionFilters": [f"{STACK}-first"],
        "logEvents": [{"id": f"{int(line.at.timestamp() * 1000):056d}", "timestamp": int(line.at.timestamp() * 1000), "message": line.text}],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()}}


def key(function: str) -> str:
    """Where Lambda puts what it gives up: by function, day and time."""
    now = datetime.datetime.now(founding.UTC)
    return f"aws/lambda/async/{function}/{now:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-2f5b8a57-1c42-4a0e-a6a3-0d6a2e0cf3ba"


def objects(world: World, bucket: str) -> list[str]:
    return [it["Key"] for it in world.aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
