"""Starts ministack, an emulator of AWS, on a loopback port, and stops it with every function that it runs.

It checks the rights of the functions' roles (AUTH), and is told where they find AWS: at a door that is recorded.
"""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

REGION = "eu-central-1"
ACCOUNT = "000000000000"
READY_S = 60
STOP_S = 10


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def end_with_parent() -> None:
    """Has the kernel end this process with the one that started it, be that killed; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Emulator:
    """One process group: the emulator and what it starts."""

    def __init__(self, scratch: pathlib.Path, functions_endpoint: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = scratch / "emulator.log"
        (scratch / "tmp").mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "TMPDIR": str(scratch / "tmp"),
            "STATE_DIR": str(scratch / "state"),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": functions_endpoint,
            "AUTH": "true",
            # The root key, which may do everything: that of whoever deploys.
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            # Ports that are not asked for: MQTT on 8883, SFTP on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # AWS waits one minute and then two before it tries an event again.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=scratch, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=end_with_parent,
            )
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(f"the emulator ended with {self._process.returncode}:\n{self.said()}")
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the emulator does not answer:\n{self.said()}") from None
                time.sleep(0.2)

    def said(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ends the group that was started here, and nothing else."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                break
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(STOP_S)
