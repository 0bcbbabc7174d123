"""Deploys, renews and deletes the stack by the commands of docs/deploy.md, from what `make zip` packed."""

import os
import pathlib
import re
import shutil
import subprocess
import zipfile

from .aws import Aws
from .say import NotSeen

STACK = "queuewatch"
LOG_GROUP = "/ecs/myteacher-production"
APP = "myteacher"
BUS = "default"
PARAMETERS = {
    "LogGroupName": LOG_GROUP,
    "AlarmEmail": "me@example.com",
    "App": APP,
    "ChatTopic": "create",
    "EventBus": BUS,
}
# The emulator refuses alarms over an expression. docs/stack.md says what holds them.
REFUSED = ("FailureRateAlarm", "PayloadsRejectedAlarm")
# It splits nothing in a condition. What stands there instead is as false as the other is for the bus named above.
CONDITION = "!Equals [!Select [0, !Split [':', !Ref EventBus]], arn]"
INSTEAD = "!Equals [!Ref EventBus, arn]"


class Deployment:
    """A folder such as `make zip` leaves, and the stack that comes of it."""

    def __init__(self, aws: Aws, sam: str, packed: pathlib.Path, folder: pathlib.Path, grace: str | None):
        self._aws, self._sam, self._folder = aws, sam, folder
        # None is the grace that a stack has by itself.
        self._parameters = PARAMETERS | ({"Grace": grace} if grace else {})
        shutil.copytree(packed, folder)
        self._template = folder / "template.yaml"
        self._template.write_text(taken(self._template.read_text(encoding="utf-8")), encoding="utf-8")

    def deploy(self) -> None:
        overrides = [f"{name}={value}" for name, value in self._parameters.items()]
        self._run("deploy", "--no-confirm-changeset", "--template", str(self._template), "--parameter-overrides", *overrides)

    def update(self, settings: str) -> None:
        """A new version: the zip with a queuewatch.toml in it. The parameters keep their values."""
        archive = next(self._folder.glob("queuewatch-lambda-*.zip"))
        with zipfile.ZipFile(archive, "a") as it:
            it.writestr("queuewatch.toml", settings)
        self._run("deploy", "--no-confirm-changeset", "--template", str(self._template))

    def delete(self) -> None:
        self._run("delete", "--stack-name", STACK, "--no-prompts")

    def _run(self, *arguments: str) -> None:
        environment = {
            **self._aws.environment,
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(self._folder / ".sam"),
        }
        ran = subprocess.run(
            [self._sam, *arguments], cwd=self._folder, env=environment, text=True, timeout=600,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        if ran.returncode != 0:
            raise NotSeen(f"sam {arguments[0]} ended with {ran.returncode}:\n{ran.stdout[-6000:]}")

    def resources(self) -> dict[str, str]:
        """Physical names by logical ids."""
        found = self._aws.client("cloudformation").describe_stack_resources(StackName=STACK)
        return {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in found["StackResources"]}

    def outputs(self) -> dict[str, str]:
        stack = self._aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def taken(template: str) -> str:
    """The template as the emulator takes it: less these alarms, and the dashboard's lines that name them."""
    for name in REFUSED:
        template = replaced(template, rf"^  {name}:\n(?:(?:   .*)?\n)+", "")
        template = replaced(template, rf'^ *"\${{{name}\.Arn}}",\n', "")
    return replaced(template, re.escape(CONDITION), INSTEAD)


def replaced(template: str, pattern: str, by: str) -> str:
    """A template that has changed its shape must not be cut unnoticed."""
    template, found = re.subn(pattern, by, template, flags=re.MULTILINE)
    if found != 1:
        raise NotSeen(f"template.yaml holds {pattern!r} {found} times, not once")
    return template
