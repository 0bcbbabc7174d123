"""The time that the functions and the servers go by: a file for each stack, so that all its processes read the same.

An incident takes minutes, a lease one; no test waits for them. A stack without a file has the machine's time. The servers
go by the time that was set last: stacks side by side are minutes apart at most.
"""

import datetime
import os
import time


class Clock:
    """Epoch milliseconds in files."""

    def __init__(self, folder):
        self._folder = folder
        self._newest_ms = None

    def path(self, stack):
        """The file of a stack."""
        return os.path.join(self._folder, f"{stack}.clock")

    def set(self, stack, ms):
        """Sets it, at once for all who read, and answers where they read."""
        beside = f"{self.path(stack)}.next"
        with open(beside, "w", encoding="ascii") as file:
            file.write(str(int(ms)))
        os.replace(beside, self.path(stack))
        self._newest_ms = int(ms)
        return self.path(stack)

    def now_ms(self):
        """Epoch milliseconds."""
        return self._newest_ms if self._newest_ms is not None else int(time.time() * 1000)

    def utcnow(self):
        """The same, as moto wants it: naive UTC."""
        return datetime.datetime.fromtimestamp(self.now_ms() / 1000, datetime.UTC).replace(tzinfo=None)
