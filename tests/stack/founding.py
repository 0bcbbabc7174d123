"""The incident that queuewatch was made for, moved so that its first job is enqueued now, and a worker heard again."""

import dataclasses
import datetime
import pathlib
import re

from .aws import Aws

LINES = pathlib.Path(__file__).parents[2] / "events/lines.txt"
UTC = datetime.timezone.utc
# Its first job; before it stand the boot and half an hour of an app that works.
FIRST_JOB = datetime.datetime(2025, 12, 6, 12, 31, 10, tzinfo=UTC)
JOBS = 2
SECOND_TASK = "ecs/app/119ff6db80b1c1a8a6afc0dc9c6f1818"
STAMP = re.compile(r"2025-12-06 \d\d:\d\d:\d\d")


@dataclasses.dataclass(frozen=True)
class Line:
    at: datetime.datetime
    stream: str
    text: str


def story(now: datetime.datetime) -> list[Line]:
    """What stood in the logs until two jobs were enqueued, the second at once; times in their words move along.

    Lines put long after their time would be late deliveries, for which queuewatch rightly waits before it pages.
    """
    by = now.replace(microsecond=0) - FIRST_JOB

    def moved(found: re.Match) -> str:
        return f"{datetime.datetime.fromisoformat(found[0]) + by:%Y-%m-%d %H:%M:%S}"

    before, jobs = [], []
    for row in LINES.read_text(encoding="utf-8").splitlines():
        at, _, stream, text = row.split("\t", 3)
        at = datetime.datetime.fromisoformat(at)
        if at < FIRST_JOB:
            before.append(Line(at + by, stream, STAMP.sub(moved, text)))
        elif is_enqueued(text) and len(jobs) < JOBS:
            jobs.append(Line(now.replace(microsecond=0), stream, STAMP.sub(f"{now:%Y-%m-%d %H:%M:%S}", text)))
    return sorted(before, key=lambda line: line.at) + jobs


def is_enqueued(text: str) -> bool:
    return "Job queued" in text


def enqueued(lines: list[Line]) -> list[Line]:
    return [line for line in lines if is_enqueued(line.text)]


def worked_off(lines: list[Line], now: datetime.datetime) -> list[Line]:
    """What a worker prints that takes each of these jobs now, one after the other."""
    jobs, out = enqueued(lines), []
    for n, job in enumerate(jobs):
        for second, what in ((2 * n, "RUNNING"), (2 * n + 1, "1s DONE")):
            at = now + datetime.timedelta(seconds=second - 2 * len(jobs))
            out.append(Line(at, job.stream, f"  {at:%Y-%m-%d %H:%M:%S} App\\Jobs\\GenerateAvatarImagesJob ...... {what}"))
    return out


def enqueue(n: int, now: datetime.datetime) -> Line:
    """One more job of the same class, with an id of its own."""
    text = enqueued(story(now))[0].text
    for pattern, replacement in (
        (r"^\[[^\]]+\]", f"[{now:%Y-%m-%d %H:%M:%S}]"),
        (r'"id":"\w{8}', f'"id":"{n:08d}'),
        (r'"uuid":"\w{8}', f'"uuid":"{n:08x}'),
    ):
        text, found = re.subn(pattern, replacement, text, count=1)
        assert found, f"{pattern} is not in {text}"
    return Line(now, SECOND_TASK, text)


def put(aws: Aws, group: str, lines: list[Line]) -> None:
    """As the log driver does: a stream at a time."""
    logs = aws.client("logs")
    for stream in dict.fromkeys(line.stream for line in lines):
        try:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except logs.exceptions.ResourceAlreadyExistsException:
            pass
        events = [
            {"timestamp": int(line.at.timestamp() * 1000), "message": line.text} for line in lines if line.stream == stream
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
