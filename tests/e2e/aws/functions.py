"""Functions: an invocation gets an idle instance or a new one, as on Lambda, and a dead instance is replaced."""

import threading


class Functions:
    """By name."""

    def __init__(self, start):
        """`start(binary, environment)` gives a new instance."""
        self._start = start
        self._lock = threading.Lock()
        self._declared = {}
        self._idle = {}
        self._started = {}
        self._deliveries = []

    def declare(self, name, binary, environment, timeout_s):
        """Makes a function known, or changes it: instances of before are ended."""
        with self._lock:
            stopped = self._idle.get(name, [])
            self._declared[name] = (binary, environment, timeout_s)
            self._idle[name] = []
        for _, instance in stopped:
            instance.kill()

    def invoke(self, name, event):
        """Runs one invocation to its end."""
        with self._lock:
            binary, environment, timeout_s = self._declared[name]
            alive = [pair for pair in self._idle[name] if pair[1].is_alive()]
            pair = alive.pop() if alive else None
            self._idle[name] = alive
            if pair is None:
                # The key tells the servers who calls.
                caller = f"{name}.{sum(1 for key in self._started if key.startswith(name + '.'))}"
                environment = dict(environment, AWS_ACCESS_KEY_ID=caller)
                pair = (caller, self._start(binary, environment))
                self._started[caller] = pair[1]
        ended = pair[1].invoke(event, timeout_s)
        with self._lock:
            if ended["outcome"] in ("response", "error"):
                self._idle[name].append(pair)
        return ended

    def is_function(self, caller):
        """Whether a call comes from an instance."""
        return caller in self._started

    def kill(self, caller):
        """Ends the instance that calls."""
        self._started[caller].kill()

    def output(self):
        """What the instances printed, the newest lines of each."""
        return {caller: list(instance.output) for caller, instance in self._started.items()}

    def stop(self):
        """Ends all."""
        for instance in list(self._started.values()):
            instance.kill()

    def deliver(self, name, event):
        """Keeps what a subscription sends, until somebody says how it arrives."""
        with self._lock:
            self._deliveries.append({"function": name, "event": event})

    def take_deliveries(self):
        """What has been sent since the last time."""
        with self._lock:
            taken, self._deliveries = self._deliveries, []
            return taken
