"""A new version is deployed over the running one while jobs wait: nothing is forgotten, and nobody is told again."""

import json

from .deploy import STACK
from .say import check, wait_for
from .world import World

# What only the new version knows: where its people are.
SETTINGS = 'timezone = "Asia/Tokyo"\n'
ZONE = "JST"


def run(world: World) -> None:
    said = len(world.inboxes.events())
    before = {name: world.names[name] for name in ("LedgerTable", "EmailTopic", "FailedEventsBucket")}
    code = digests(world)
    world.deployment.update(SETTINGS)
    world.names = world.deployment.resources()
    check(all(world.names[name] == it for name, it in before.items()), "sam deploy kept the table, the topic and the bucket")
    check(all(new != old for new, old in zip(digests(world), code)), "both functions run another zip")
    ended, answer = world.sweep()
    check(ended, "a sweep of the new version comes to its end")
    wait_for("it still counts two jobs that wait", 90, lambda: world.metric("Pending") == 2)
    check(len(world.inboxes.events()) == said, "nobody is told again")
    shown = world.command("doctor", "--stack", STACK).stdout
    check(world.incident in shown, "the incident is still open")


def digests(world: World) -> list[str]:
    functions = world.aws.client("lambda")
    names = ("IngestFunction", "SweepFunction")
    return [functions.get_function_configuration(FunctionName=world.names[name])["CodeSha256"] for name in names]
