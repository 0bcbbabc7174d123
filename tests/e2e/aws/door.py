"""The one door: every call is noted, may meet a fault, and goes to the server that answers for its service."""

import json
import socket
import time

from .call import Answer, Call
from .journal import cost

CONTROL = "/_e2e/"


class Door:
    """A WSGI application."""

    def __init__(self, simulated, table_server, functions, faults, journal, control):
        self._simulated, self._table_server = simulated, table_server
        self._functions, self._faults, self._journal = functions, faults, journal
        self._control = control

    def __call__(self, environ, start):
        size = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(size) if size else b""
        if environ["PATH_INFO"].startswith(CONTROL):
            answer = self._control.answer(environ["PATH_INFO"].removeprefix(CONTROL), raw)
        else:
            answer = self._call(environ, Call(environ, raw))
        if answer is None:
            _hang_up(environ)
            answer = Answer(500)
        kept = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        start(f"{answer.status} -", [*kept, ("Content-Length", str(len(answer.body)))])
        return [answer.body]

    def _call(self, environ, call):
        instance = self._functions.of_instance(call.caller)
        if instance is None:
            return self._answer(call)  # the test's own calls are neither noted nor disturbed
        entry = self._journal.open(*instance, call)
        fault = self._faults.pick(*instance, call)
        if fault is None:
            answer = self._note(entry, call, self._answer(call))
            if _is_gone(environ):
                # On a machine that is busy a call may take longer than its caller waits: nobody heard that it was done.
                entry["fault"] = "slow"
            return answer
        entry["fault"] = kind = fault["kind"]
        if kind == "delay":
            time.sleep(fault["ms"] / 1000)
            return self._note(entry, call, self._answer(call))
        if kind in ("lose", "break", "hang", "kill_after"):
            self._note(entry, call, self._answer(call))
        if kind in ("kill", "kill_after"):
            self._functions.kill(call.caller)
        if kind == "hang":
            time.sleep(fault["ms"] / 1000)
        if kind in ("refuse", "lose"):
            return call.refusal(fault.get("status", 500), fault.get("code", "InternalServerError"))
        return None

    def _answer(self, call):
        if call.service == "lambda" and call.operation.endswith("/invocations"):
            return self._functions.answer(call)
        if call.service != "dynamodb":
            return self._simulated.answer(call)
        if call.operation in ("GetItem", "PutItem", "UpdateItem", "Query", "BatchGetItem"):
            call.body = json.dumps(dict(call.input, ReturnConsumedCapacity="INDEXES")).encode()
        return (self._table_server or self._simulated).answer(call)

    @staticmethod
    def _note(entry, call, answer):
        entry["status"] = answer.status
        entry.update(cost(call, answer))
        return answer


def _is_gone(environ):
    """Whether the caller has given up: it closes its connection then, and sends nothing more."""
    try:
        return environ["werkzeug.socket"].recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _hang_up(environ):
    """Breaks the connection: whatever is written to it afterwards goes nowhere."""
    try:
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the caller was faster
