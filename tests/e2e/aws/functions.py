"""Functions: an invocation gets an idle instance or a new one, as on Lambda, and a dead instance is replaced."""

import json
import threading

from .call import Answer


class Functions:
    """By name."""

    def __init__(self, start):
        """`start(command, stack, environment)` gives a new instance."""
        self._start = start
        self._lock = threading.Lock()
        self._declared = {}
        self._idle = {}
        self._started = {}
        self._deliveries = {}

    def declare(self, name, stack, command, environment, timeout_s):
        """Makes a function known, or changes it: instances of before are ended."""
        with self._lock:
            stopped = self._idle.get(name, [])
            self._declared[name] = (stack, command, environment, timeout_s)
            self._idle[name] = []
        for _, instance in stopped:
            instance.kill()

    def invoke(self, name, event):
        """Runs one invocation to its end."""
        with self._lock:
            stack, command, environment, timeout_s = self._declared[name]
            alive = [pair for pair in self._idle[name] if pair[1].is_alive()]
            pair = alive.pop() if alive else None
            self._idle[name] = alive
            if pair is None:
                # The key tells the servers who calls.
                caller = f"{name}.{sum(1 for key in self._started if key.startswith(name + '.'))}"
                environment = dict(environment, AWS_ACCESS_KEY_ID=caller)
                pair = (caller, self._start(command, stack, environment))
                self._started[caller] = pair[1]
        ended = pair[1].invoke(event, timeout_s)
        with self._lock:
            if ended["outcome"] in ("response", "error"):
                self._idle[name].append(pair)
        return ended

    def answer(self, call):
        """Lambda's own `Invoke`, for callers that wait: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>."""
        name = call.environ["PATH_INFO"].split("/functions/")[1].split("/")[0].rsplit(":", 1)[-1]
        if name not in self._declared:
            said = json.dumps({"Type": "User", "Message": f"Function not found: {name}"})
            headers = [("Content-Type", "application/json"), ("x-amzn-errortype", "ResourceNotFoundException")]
            return Answer(404, headers, said.encode())
        ended = self.invoke(name, json.loads(call.body))
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
        if ended["outcome"] == "response":
            return Answer(200, headers, ended["payload"].encode())
        headers.append(("X-Amz-Function-Error", "Unhandled"))
        if ended["outcome"] == "error":
            return Answer(200, headers, ended["payload"].encode())
        said = {"errorType": "Runtime.ExitError", "errorMessage": f"the runtime ended: {ended['outcome']}"}
        return Answer(200, headers, json.dumps(said).encode())

    def of_instance(self, caller):
        """The stack and the function of an instance that calls; nothing for another caller."""
        if caller not in self._started:
            return None
        function = caller.rsplit(".", 1)[0]
        return self._declared[function][0], function

    def kill(self, caller):
        """Ends the instance that calls."""
        self._started[caller].kill()

    def forget(self, stack):
        """Ends a stack's instances: its test is over, or only looks at what is left."""
        for instance in [instance for _, instance in self._of(stack)]:
            instance.kill()

    def output(self, stack):
        """What a stack's instances printed, the newest lines of each."""
        return {caller: list(instance.output) for caller, instance in self._of(stack)}

    def _of(self, stack):
        with self._lock:
            return [
                (caller, instance)
                for caller, instance in self._started.items()
                if self._declared[caller.rsplit(".", 1)[0]][0] == stack
            ]

    def stop(self):
        """Ends all."""
        for instance in list(self._started.values()):
            instance.kill()

    def deliver(self, name, event):
        """Keeps what a subscription sends, until somebody says how it arrives."""
        with self._lock:
            self._deliveries.setdefault(name, []).append(event)

    def take_deliveries(self, name):
        """What has been sent to a function since the last time."""
        with self._lock:
            return self._deliveries.pop(name, [])
