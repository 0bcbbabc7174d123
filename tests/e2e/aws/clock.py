"""The time that the functions and the servers go by: a file, so that every process reads the same.

An incident takes minutes, a lease one; no test waits for them. Without the file it is the machine's time.
"""

import datetime
import os
import time


class Clock:
    """Epoch milliseconds in a file."""

    def __init__(self, path):
        self.path = path

    def set(self, ms):
        """Sets it, at once for all who read."""
        beside = f"{self.path}.next"
        with open(beside, "w", encoding="ascii") as file:
            file.write(str(int(ms)))
        os.replace(beside, self.path)

    def now_ms(self):
        """Epoch milliseconds."""
        try:
            with open(self.path, encoding="ascii") as file:
                return int(file.read())
        except FileNotFoundError:
            return int(time.time() * 1000)

    def utcnow(self):
        """The same, as moto wants it: naive UTC."""
        return datetime.datetime.fromtimestamp(self.now_ms() / 1000, datetime.UTC).replace(tzinfo=None)
