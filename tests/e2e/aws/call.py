"""One request to an AWS service: who calls what, on which items, and how an answer looks in its protocol."""

import gzip
import json
import re
import urllib.parse
import zlib
from dataclasses import dataclass, field

from . import cbor

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
TOPIC = re.compile(rb"(?:^|&)TopicArn=([^&]+)")
SERVICES = {"monitoring": "cloudwatch"}


@dataclass
class Answer:
    """What goes back."""

    status: int
    headers: list = field(default_factory=list)
    body: bytes = b""


class Call:
    """A request, read once."""

    def __init__(self, environ, raw):
        self.environ = environ
        self.sent_bytes = len(raw)
        # moto inflates again what it is told is deflated, and fails: it never hears of it.
        is_gzip = environ.pop("HTTP_CONTENT_ENCODING", None) == "gzip"
        self.body = gzip.decompress(raw) if is_gzip else raw
        found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        self.caller, service = found.groups() if found else ("", "")
        self.service = SERVICES.get(service, service)
        self.is_cbor = "cbor" in environ.get("CONTENT_TYPE", "")
        self.operation = self._operation()
        self.input = self._input()

    def _operation(self):
        if target := self.environ.get("HTTP_X_AMZ_TARGET"):
            return target.rsplit(".", 1)[-1]
        path = self.environ.get("PATH_INFO", "")
        if "/operation/" in path:
            return path.rsplit("/", 1)[-1]
        if found := ACTION.search(self.body):
            return found[1].decode()
        return f"{self.environ['REQUEST_METHOD']} {path}"

    def _input(self):
        if self.is_cbor:
            return cbor.loads(self.body) if self.body else {}
        if "json" in self.environ.get("CONTENT_TYPE", "") and self.body:
            return json.loads(self.body)
        return {}

    @property
    def detail(self):
        """What the request is about, in a word that is the same in every run: kinds of items, a topic, a metric."""
        if self.service == "dynamodb":
            return _about_table(self.operation, self.input)
        if found := TOPIC.search(self.body):
            return found[1].decode().rsplit("%3A", 1)[-1]
        names = sorted({datum.get("MetricName", "") for datum in self.input.get("MetricData", [])})
        return names[0] if names else ""

    @property
    def said(self):
        """What the request says: the notification that is published, the sums that are put, the item's place."""
        if self.operation == "PutItem":
            item = self.input.get("Item", {})
            due = " ".join(item[name]["S"] for name in ("w", "k") if name in item)
            return {"key": item["pk"]["S"], "due": due or None}
        if self.service == "sns":
            form = dict(urllib.parse.parse_qsl(self.body.decode()))
            names = {value: name for name, value in form.items() if name.endswith(".Name")}
            return form.get(names.get("notification", "").replace(".Name", ".Value.StringValue"))
        sums = {}
        for datum in self.input.get("MetricData", []):
            if [dimension["Name"] for dimension in datum.get("Dimensions", [])] == ["App"]:
                counted = zip(datum.get("Values", []), datum.get("Counts", []))
                total = datum["Value"] if "Value" in datum else sum(value * count for value, count in counted)
                sums[datum["MetricName"]] = sums.get(datum["MetricName"], 0) + total
        return sums or None

    def refusal(self, status, code):
        """An error in the words of the caller's protocol."""
        headers = [("x-amzn-errortype", code), ("x-amzn-requestid", "fault")]
        if self.is_cbor:
            body = cbor.dumps({"__type": code, "message": "a fault of the test"})
            headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        elif "json" in self.environ.get("CONTENT_TYPE", ""):
            body = json.dumps({"__type": code, "message": "a fault of the test"}).encode()
            headers += [("Content-Type", "application/x-amz-json-1.0"), ("x-amz-crc32", str(zlib.crc32(body)))]
        else:
            body = (
                f"<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>a fault of the test"
                f"</Message></Error><RequestId>fault</RequestId></ErrorResponse>"
            ).encode()
            headers.append(("Content-Type", "text/xml"))
        return Answer(status, headers, body)


def _about_table(operation, request):
    """`C` of a checkpoint, `J D` of a batch that reads both, `due f` of the index, `range D` of a partition."""
    if operation == "Query":
        values = sorted(value.get("S", "") for value in request.get("ExpressionAttributeValues", {}).values())
        if "IndexName" in request:
            partitions = [value for value in values if re.fullmatch(r"[a-z]\d+", value)]
            return f"due {partitions[0][0]}" if partitions else "due"
        return f"range {' '.join(_kinds(values))}"
    keys = [request.get("Key", {}), request.get("Item", {})]
    for table in request.get("RequestItems", {}).values():
        keys += table.get("Keys", []) if isinstance(table, dict) else []
    return " ".join(_kinds(key.get("pk", {}).get("S", "") for key in keys))


def _kinds(partitions):
    return sorted({partition.split("#")[0] for partition in partitions if "#" in partition})
