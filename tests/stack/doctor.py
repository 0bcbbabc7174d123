"""What `queuewatch doctor` finds of the deployed stack: before any line came, and while an incident is open."""

import re

from .deploy import STACK
from .say import NotSeen, check
from .world import World


def before(world: World) -> None:
    """Nothing has come yet and nothing has swept: an operator who looks now is told so."""
    status, found = doctor(world)
    check(status == 1, "doctor finds fault with a stack that nothing has come to yet")
    expect(found, "ok", "stack", "CREATE_COMPLETE")
    expect(found, "WRONG", "sweep", "none was ever finished")
    expect(found, "WRONG", "lines", f"{world.log_group}: no line has come")


def run(world: World) -> None:
    """The queue is ill and queuewatch is well: it shows the incident, and finds fault with nothing."""
    status, found = doctor(world)
    check(status == 0, "doctor finds nothing wrong while a queue is stalled")
    expect(found, "ok", "sweep", " ago")
    expect(found, "ok", "lines", f"{world.log_group}: the newest is ")
    expect(found, "note", "", world.incident)


def doctor(world: World) -> tuple[int, str]:
    ran = world.command("doctor", "--stack", STACK)
    if ran.returncode not in (0, 1):
        raise NotSeen(f"doctor ended with {ran.returncode}: {ran.stderr}")
    return ran.returncode, ran.stdout


def expect(found: str, verdict: str, subject: str, finding: str) -> None:
    lines = [it for it in found.splitlines() if re.match(rf"{verdict} +{subject}", it) and finding in it]
    if not lines:
        raise NotSeen(f"doctor says no {verdict} {subject}: {finding!r} in\n{found}")
    check(lines, f"it says: {' '.join(lines[0].split())[:120]}")
