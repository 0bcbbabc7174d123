"""A line of progress for each thing that was seen, with the seconds since the start; and waiting for such a thing."""

import time
from collections.abc import Callable
from typing import TypeVar

START = time.monotonic()
T = TypeVar("T")


class NotSeen(Exception):
    """What a run had to show and did not."""


def say(text: str) -> None:
    print(f"{time.monotonic() - START:6.1f} s  {text}", flush=True)


def check(is_so: object, text: str) -> None:
    """Says what holds, or ends the run with it."""
    if not is_so:
        raise NotSeen(text)
    say(text)


def wait_for(text: str, seconds: float, look: Callable[[], T | None]) -> T:
    """Looks until something is there; what happened ends the wait, the seconds only a run that hangs."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            say(text)
            return found
        if time.monotonic() > deadline:
            raise NotSeen(f"{text}: not within {seconds:.0f} s")
        time.sleep(0.5)
