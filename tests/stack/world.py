"""The stack under test with what surrounds it: one value that each part of the run gets."""

import datetime
import json
import os
import pathlib
import subprocess

from .aws import Aws
from .deploy import APP, BUS, LOG_GROUP, Deployment
from .door import Door
from .founding import Line
from .inbox import Inboxes
from .keys import key_of


class World:
    """A deployed stack, the door its functions use, its inboxes and the command line."""

    log_group = LOG_GROUP

    def __init__(self, aws: Aws, door: Door, deployment: Deployment, cli: pathlib.Path):
        self.aws, self.door, self.deployment, self._cli = aws, door, deployment, cli
        self.names = deployment.resources()
        outputs = deployment.outputs()
        self.inboxes = Inboxes(aws, outputs["EmailTopicArn"], outputs["ChatTopicArn"], BUS)
        self.story: list[Line] = []
        self.incident = ""
        # How many jobs were added to those of the story.
        self.jobs = 0

    def events_of(self, kind: str, state: str) -> list[dict]:
        return [it for it in self.inboxes.events() if (it["kind"], it["state"]) == (kind, state)]

    def mails(self, subject: str) -> list[dict]:
        return [it for it in self.inboxes.mails() if it.get("Subject") == subject]

    def metric(self, name: str) -> float | None:
        """The app's newest value within five minutes."""
        now = datetime.datetime.now(datetime.timezone.utc)
        points = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="QueueWatch", MetricName=name, Dimensions=[{"Name": "App", "Value": APP}],
            StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1),
            Period=60, Statistics=["Maximum"],
        )["Datapoints"]
        return max(points, key=lambda it: it["Timestamp"])["Maximum"] if points else None

    def alarm(self, logical: str) -> str:
        asked = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[self.names[logical]])
        return asked["MetricAlarms"][0]["StateValue"]

    def key(self, logical: str) -> str:
        """What a function signs with in its role."""
        it = self.aws.client("lambda").get_function_configuration(FunctionName=self.names[logical])
        return key_of(it["FunctionArn"], it["Role"])

    def invoke(self, logical: str, event: dict, kind: str = "RequestResponse") -> tuple[bool, dict]:
        """Whether a function came to its end, and what it said."""
        got = self.aws.client("lambda").invoke(
            FunctionName=self.names[logical], InvocationType=kind, Payload=json.dumps(event)
        )
        said = got["Payload"].read()
        return "FunctionError" not in got, json.loads(said) if said else {}

    def sweep(self) -> tuple[bool, dict]:
        return self.invoke("SweepFunction", {"tick": True})

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        """queuewatch's command line, as an operator of this account has it."""
        environment = {**self.aws.environment, "PATH": os.environ["PATH"], "NO_COLOR": "1"}
        return subprocess.run(
            [self._cli, *arguments], env=environment, text=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
        )
