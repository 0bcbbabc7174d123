"""Starts everything, says where, and ends when standard input does."""

import argparse
import json
import os
import sys
import tempfile
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from .clock import Clock
from .control import Control
from .door import Door
from .dynalite import Dynalite
from .faults import Faults
from .functions import Functions
from .journal import Journal
from .runtime import Instance
from .simulated import REGION, Simulated


class Handler(WSGIRequestHandler):
    """HTTP/1.1, and nothing said of each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *_):
        """Says nothing."""


def main():
    """Runs until nobody holds the other end of standard input."""
    options = argparse.ArgumentParser(description="local AWS for queuewatch's end-to-end tests")
    options.add_argument("--dynalite", nargs=2, metavar=("NODE", "CLI"), help="keep tables there, not in moto")
    options = options.parse_args()

    with tempfile.TemporaryDirectory(prefix="queuewatch-e2e-") as folder:
        clock, faults, journal = Clock(folder), Faults(), Journal()
        server = None

        def start(command, stack, environment):
            url = f"http://127.0.0.1:{server.server_port}"
            given = {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, "QUEUEWATCH_TEST_CLOCK_FILE": clock.path(stack)}
            return Instance(command, given | environment)

        functions = Functions(start)
        simulated = Simulated(clock, functions.deliver)
        table_server = Dynalite(*options.dynalite) if options.dynalite else None
        control = Control(clock, functions, faults, journal, simulated)
        door = Door(simulated, table_server, functions, faults, journal, control)
        server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"port": server.server_port}), flush=True)
        try:
            sys.stdin.read()
        finally:
            functions.stop()
            if table_server:
                table_server.stop()


main()
