"""dynalite: another DynamoDB, so that no gap of moto's passes for correctness. It counts capacity as AWS does."""

import http.client
import socket
import subprocess
import time

from .call import Answer

START_S = 20
# Hop by hop, or said anew.
LEFT_OUT = {"connection", "keep-alive", "transfer-encoding", "content-length", "date"}


class Dynalite:
    """A child process, and the way to it."""

    def __init__(self, node, cli):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = ["--host", "127.0.0.1", "--port", str(self.port)]
        for what in ("createTableMs", "deleteTableMs", "updateTableMs"):
            options += [f"--{what}", "0"]
        self._process = subprocess.Popen([node, cli, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("dynalite does not start") from None
                time.sleep(0.02)

    def answer(self, call):
        """Asks it."""
        headers = {"Content-Type": call.environ["CONTENT_TYPE"]}
        for name in ("HTTP_AUTHORIZATION", "HTTP_X_AMZ_TARGET", "HTTP_X_AMZ_DATE"):
            if name in call.environ:
                headers[name.removeprefix("HTTP_").replace("_", "-")] = call.environ[name]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/", call.body, headers)
            response = connection.getresponse()
            body = response.read()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in LEFT_OUT]
            return Answer(response.status, kept, body)
        finally:
            connection.close()

    def stop(self):
        """Ends it."""
        self._process.kill()
        self._process.wait()
