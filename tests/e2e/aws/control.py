"""What a test says to the servers beside AWS's own words: `POST /_e2e/<verb>`, JSON in, JSON out."""

import json
import traceback

from .call import Answer


class Control:
    """The verbs."""

    def __init__(self, clock, functions, faults, journal, simulated):
        self._clock, self._functions = clock, functions
        self._faults, self._journal, self._simulated = faults, journal, simulated
        self._verbs = {
            "clock": lambda said: self._clock.set(said["ms"]),
            "function": lambda said: self._functions.declare(
                said["name"], said["binary"], said["environment"], said["timeout_s"]
            ),
            "invoke": lambda said: self._functions.invoke(said["function"], said["event"]),
            "deliveries": lambda _: self._functions.take_deliveries(),
            "faults": lambda said: self._faults.set(said["rules"]),
            "journal": lambda said: self._journal.of(said["functions"]),
            "metrics": lambda said: self._simulated.metrics(said["app"]),
            "output": lambda _: self._functions.output(),
        }

    def answer(self, verb, raw):
        """Does it; what goes wrong is told in full."""
        try:
            return _json(200, self._verbs[verb](json.loads(raw or b"{}")))
        except Exception:  # whatever it is, it is the test that has to be told
            return _json(500, traceback.format_exc())


def _json(status, said):
    return Answer(status, [("Content-Type", "application/json")], json.dumps(said).encode())
