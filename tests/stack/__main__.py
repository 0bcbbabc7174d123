"""The run: starts the emulator, deploys, tells the story, deletes. `make stack` gives it what it needs.

    python -m tests.stack --packed DIST --sam SAM --queuewatch BINARY [--long]

`--long` leaves the grace as a stack has it by itself, and waits for the message that comes a quarter of an hour after the
first lines. Otherwise the grace is a minute: lines come at once here, and nothing speaks for more.
Ends with 1 and the end of the logs where something did not happen; the emulator is stopped in any case.
"""

import argparse
import pathlib
import signal
import sys
import tempfile

from . import delete, doctor, page, recovery, redrive, rights, update, watching
from .aws import Aws
from .deploy import LOG_GROUP, Deployment
from .door import Door
from .emulator import Emulator
from .guard import guard
from .say import NotSeen, say
from .world import World

PARTS = (page, doctor, update, recovery, redrive, rights, delete)
LONG = (page, watching, delete)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make stack")
    for name, what in (
        ("--packed", "the folder that `make zip` filled"),
        ("--sam", "the command `sam`"),
        ("--queuewatch", "the command line, built with the feature aws"),
    ):
        parser.add_argument(name, required=True, type=pathlib.Path, help=what)
    parser.add_argument("--long", action="store_true", help="with the default grace, until it says that it watches")
    return parser.parse_args()


def run(given: argparse.Namespace, scratch: pathlib.Path) -> None:
    door = Door()
    try:
        emulator = Emulator(scratch, door.url)
        try:
            door.port_behind = emulator.port
            say(f"the emulator answers at {emulator.url}")
            tell(given, scratch, Aws(emulator.url), door)
        except NotSeen as missing:
            print(f"\nnot seen: {missing}\n\nthe emulator said last:\n{emulator.said()}", file=sys.stderr)
            print(f"\nthe functions asked last:\n{door.told()}", file=sys.stderr)
            raise
        finally:
            emulator.stop()
            say("the emulator is stopped")
    finally:
        door.stop()


def tell(given: argparse.Namespace, scratch: pathlib.Path, aws: Aws, door: Door) -> None:
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    deployment = Deployment(aws, str(given.sam), given.packed, scratch / "dist", None if given.long else "1m")
    deployment.deploy()
    say("sam deploy made the stack")
    world = World(aws, door, deployment, given.queuewatch)
    door.guards.append(guard(aws, world.names["SweepRole"]))
    doctor.before(world)
    for part in LONG if given.long else PARTS:
        say(f"-- {part.__name__.rsplit('.', 1)[-1]}: {part.__doc__.splitlines()[0]}")
        part.run(world)


def main() -> int:
    given = arguments()
    # Whoever ends this run ends the emulator, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    for name in ("packed", "sam", "queuewatch"):
        setattr(given, name, getattr(given, name).absolute())
    with tempfile.TemporaryDirectory(prefix="queuewatch-stack-", ignore_cleanup_errors=True) as scratch:
        try:
            run(given, pathlib.Path(scratch))
        except NotSeen:
            return 1
    say("all of it was seen")
    return 0


sys.exit(main())
