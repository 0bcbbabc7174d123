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
            "clock": lambda said: self._clock.set(said["stack"], said["ms"]),
            "function": lambda said: self._functions.declare(
                said["name"], said["stack"], said["command"], said["environment"], said["timeout_s"]
            ),
            "invoke": lambda said: self._functions.invoke(said["function"], said["event"]),
            "deliveries": lambda said: self._functions.take_deliveries(said["function"]),
            "faults": lambda said: self._faults.set(said["stack"], said["rules"]),
            "journal": lambda said: self._journal.of(said["stack"]),
            "metrics": lambda said: self._simulated.metrics(said["app"]),
            "output": lambda said: self._functions.output(said["stack"]),
            "forget": lambda said: self._functions.forget(said["stack"]),
        }

    def answer(self, verb, raw):
        """Does it; what goes wrong is told in full."""
        try:
            return _json(200, self._verbs[verb](json.loads(raw or b"{}")))
        except Exception:  # whatever it is, it is the test that has to be told
            return _json(500, traceback.format_exc())


def _json(status, said):
    return Answer(status, [("Content-Type", "application/json")], json.dumps(said).encode())
