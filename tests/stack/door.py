"""The door that the functions' calls to AWS go through: it writes each one down, and can keep a service shut.

It hands on what the functions signed, host and all. Only they use it; whoever deploys and looks goes past it.
"""

import dataclasses
import gzip
import http.client
import http.server
import re
import threading
import urllib.parse
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Call:
    """One request of a function: who signed it, what it asked for, and the answer's status."""

    key: str
    service: str
    operation: str
    body: bytes
    status: int


@dataclasses.dataclass(frozen=True)
class Refusal:
    """What is answered in the place of AWS."""

    status: int
    kind: str
    answer: bytes


Guard = Callable[[str, str, str, bytes], Refusal | None]


class Door:
    """A server of its own, in threads, in front of the emulator."""

    def __init__(self):
        self.port_behind = 0
        self.calls: list[Call] = []
        # Asked before a request is handed on, by key, service, operation and body.
        self.guards: list[Guard] = []
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Its answers are two writes, head and body; together they would wait for an acknowledgement.
            disable_nagle_algorithm = True

            def handle_any(self):
                door._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, operation: str) -> list[Call]:
        """The calls of one operation so far."""
        return [call for call in self.calls if call.operation == operation]

    def refused(self) -> list[Call]:
        """The calls that their role had no right to."""
        return [call for call in self.calls if call.status == 403]

    def told(self, lines: int = 20) -> str:
        """Its last calls, for whoever must find out what went wrong."""
        return "\n".join(f"{it.key[-4:]} {it.service} {it.operation} {it.status}" for it in self.calls[-lines:])

    def _handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        plain = gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
        key, service = signer(request.headers.get("authorization") or "")
        operation = operation_of(request.path, request.headers.get("x-amz-target") or "", plain)
        refusal = next(filter(None, (guard(key, service, operation, plain) for guard in self.guards)), None)
        if refusal:
            status, answer = refusal.status, refusal.answer
            headers = {"content-type": refusal.kind}
            if refusal.kind == "application/cbor":
                headers["smithy-protocol"] = "rpc-v2-cbor"
        else:
            status, headers, answer = self._behind(request, body)
        self.calls.append(Call(key, service, operation, plain, status))
        request.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                request.send_header(name, value)
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(answer)

    def _behind(self, request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port_behind, timeout=60)
        try:
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def signer(authorization: str) -> tuple[str, str]:
    """The key that signed, and the service it signed for."""
    found = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request", authorization)
    return (found[1], found[2]) if found else ("", "")


def operation_of(path: str, target: str, body: bytes) -> str:
    """The operation's name: in a header, in the path, or in a form, as the service's protocol has it."""
    if target:
        return target.rsplit(".", 1)[-1]
    if "/operation/" in path:
        return path.rsplit("/operation/", 1)[-1]
    return (urllib.parse.parse_qs(body.decode("latin-1")).get("Action") or [""])[0]
