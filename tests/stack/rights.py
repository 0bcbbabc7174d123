"""Each right of each role is taken away in turn, and something fails; with all of them, nothing was refused."""

import contextlib
import copy
import datetime
import json
import time
from collections.abc import Iterator

from . import founding, paper
from .guard import policy
from .redrive import delivery
from .say import NotSeen, check, say
from .world import World

INGEST, SWEEP = "IngestRole", "SweepRole"
INGEST_TABLE = [(INGEST, "Ledger", f"dynamodb:{it}") for it in ("BatchGetItem", "PutItem")]
SWEEP_TABLE = [
    (SWEEP, "Ledger", "dynamodb:BatchGetItem"),
    (SWEEP, "Ledger", "dynamodb:Query"),
    (SWEEP, "LedgerIndex", "dynamodb:Query"),
    (SWEEP, "Ledger", "dynamodb:PutItem"),
    (SWEEP, "Metrics", "cloudwatch:PutMetricData"),
]
TOPICS, BUS = (SWEEP, "Topics", "sns:Publish"), (SWEEP, "EventBus", "events:PutEvents")
# The last one: a sweep that fails here has taken the lease, and the next ones leave it alone until it is over.
LAST = (SWEEP, "Ledger", "dynamodb:UpdateItem")
TRIED = [*INGEST_TABLE, *SWEEP_TABLE, TOPICS, BUS, LAST]
PAGE_S = 120
# A sweep that meets the schedule's leaves it the minute, and does nothing.
TRIES = 3


def run(world: World) -> None:
    check(not world.door.refused(), f"nothing was refused so far, of {len(world.door.calls)} calls of both roles")
    paper.nothing_is_left_out(TRIED)
    for right in INGEST_TABLE:
        with without(world, right):
            ended, answer = ingest(world)
        fails(right, ended, answer, "the delivery fails")
        ingest(world)
    for right in SWEEP_TABLE:
        swept_without(world, right)
    messages(world)
    swept_without(world, LAST)
    paper.run(world)


def ingest(world: World) -> tuple[bool, dict]:
    """One more job."""
    world.jobs += 1
    return world.invoke("IngestFunction", delivery(founding.enqueue(world.jobs, datetime.datetime.now(founding.UTC))))


def swept_without(world: World, right: tuple[str, str, str]) -> None:
    ingest(world)
    with without(world, right):
        for _ in range(TRIES):
            ended, answer = world.sweep()
            if not ended:
                break
            time.sleep(1)
    fails(right, ended, answer, "the sweep fails")


def fails(right: tuple[str, str, str], ended: bool, answer: dict, what: str) -> None:
    role, sid, action = right
    said = str(answer.get("errorMessage"))
    if ended or f"not authorized to perform: {action}".lower() not in said.lower():
        raise NotSeen(f"{role} {sid} {action} was taken away, and what came was {answer}")
    say(f"{role} {sid} {action}: without it {what}, and says why")


def messages(world: World) -> None:
    """A page that none of the three channels takes; then each right is given back, and that channel alone gets it."""
    email, chat = resources(world, TOPICS)
    channels = [("mail", TOPICS, email), ("chat", TOPICS, chat), ("event", BUS, None)]
    before = got(world)
    held = list(channels)
    with contextlib.ExitStack() as stack:
        for _, right, resource in held:
            stack.enter_context(without(world, right, resource))
        deadline = time.monotonic() + PAGE_S
        while not any(it.operation == "Publish" and it.status == 403 for it in world.door.calls):
            if time.monotonic() > deadline:
                raise NotSeen("a page that may not be published: none was tried")
            time.sleep(2)
            world.sweep()
    check(got(world) == before, "without the rights to publish nobody hears of a page")
    while held:
        name, (role, sid, action), _ = held.pop(0)
        with contextlib.ExitStack() as stack:
            for _, right, resource in held:
                stack.enter_context(without(world, right, resource))
            ended, _ = world.sweep()
        now = got(world)
        came = [it for (it, *_), old, new in zip(channels, before, now) if new > old]
        check(came == [name] and ended == (not held), f"{role} {sid} {action}: without it no {name}, which comes once it is back")
        before = now


def got(world: World) -> tuple[int, int, int]:
    """How many pages came by mail, by chat and as events."""
    mails = [it for it in world.inboxes.mails() if it.get("Subject", "").startswith("ALARM myteacher")]
    return len(mails), len(world.inboxes.chats()), len(world.inboxes.events())


def resources(world: World, right: tuple[str, str, str]) -> list[str]:
    role, sid, _ = right
    _, document = policy(world.aws, world.names[role])
    return next(it["Resource"] for it in document["Statement"] if it["Sid"] == sid)


@contextlib.contextmanager
def without(world: World, right: tuple[str, str, str], resource: str | None = None) -> Iterator[None]:
    """A role less one right, or less one resource of it, for a while."""
    role = world.names[right[0]]
    name, document = policy(world.aws, role)
    iam = world.aws.client("iam")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less(document, right, resource)))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def less(document: dict, right: tuple[str, str, str], resource: str | None = None) -> dict:
    """The policy without it; a right that is not there cannot be taken away."""
    _, sid, action = right
    document = copy.deepcopy(document)
    (statement,) = [it for it in document["Statement"] if it["Sid"] == sid]
    field, gone = ("Resource", resource) if resource else ("Action", action)
    named = statement[field] if isinstance(statement[field], list) else [statement[field]]
    if gone not in named:
        raise NotSeen(f"{sid} has no {gone}")
    statement[field] = [it for it in named if it != gone]
    document["Statement"] = [it for it in document["Statement"] if it["Action"] and it["Resource"]]
    return document
