"""One instance of a function: the real binary, and the Runtime API that it asks for its next invocation.

<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
"""

import collections
import json
import queue
import re
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = re.compile(r"/runtime/invocation/([^/]+)/(response|error)$")
OUTPUT_LINES_MAX = 400


class Instance:
    """A process that is given one invocation at a time."""

    def __init__(self, command, environment):
        self._next = queue.Queue()
        self._ended = queue.Queue()
        self.output = collections.deque(maxlen=OUTPUT_LINES_MAX)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 1}, daemon=True).start()
        environment = dict(environment, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{self._server.server_port}")
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self.output.append(line.rstrip("\n"))
        code = self._process.wait()
        self._next.put(None)
        self._ended.put((None, "exit", str(code)))
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        instance = self

        class Handler(BaseHTTPRequestHandler):
            """The Runtime API."""

            protocol_version = "HTTP/1.1"
            # Head and body are two writes: the second would wait 40 ms for the first's acknowledgement.
            disable_nagle_algorithm = True

            def log_message(self, *_):
                """Says nothing."""

            def do_GET(self):
                """The next invocation, once there is one."""
                invocation = instance._next.get()
                if invocation is None:
                    self.close_connection = True  # whoever asked is gone
                    return
                request_id, event, deadline_ms = invocation
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline_ms))
                self.send_header(
                    "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:queuewatch"
                )
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):
                """What became of an invocation, or of the start."""
                body = self._body().decode()
                if found := ANSWER.search(self.path):
                    instance._ended.put((found[1], found[2], body))
                elif self.path.endswith("/init/error"):
                    instance.output.append(body)
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        return Handler

    def invoke(self, event, timeout_s):
        """Gives it an event. Ends in `response` or `error` as the binary says, `exit` or `timeout` as Lambda would."""
        request_id = str(uuid.uuid4())
        until = time.monotonic() + timeout_s
        self._next.put((request_id, json.dumps(event).encode(), int((time.time() + timeout_s) * 1000)))
        while True:
            try:
                about, outcome, payload = self._ended.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                self.kill()
                return {"outcome": "timeout", "payload": ""}
            if about in (None, request_id):
                return {"outcome": outcome, "payload": payload}

    def is_alive(self):
        """Whether it can take another."""
        return self._process.poll() is None

    def kill(self):
        """SIGKILL, and not before it is gone does this return."""
        self._process.kill()
        self._process.wait()
