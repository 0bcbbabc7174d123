"""moto, corrected where it differs from AWS in what matters here, and made to serve one call at a time.

Corrected: CloudWatch speaks rpc-v2-cbor, which moto does not; event ids are strings; a subscription hands its lines to
our functions instead of to docker; the time is ours. Served one by one, because two conditional writes at the same
moment both succeed in moto.
"""

import base64
import datetime
import gzip
import io
import json
import re
import sys
import threading
from unittest import mock

# CloudFormation's part imports every other, and that of API Gateway wants a validator with a dozen packages behind it
# that nothing here calls.
for name in ("openapi_spec_validator", "openapi_spec_validator.validation.exceptions"):
    sys.modules.setdefault(name, mock.MagicMock())

import moto.awslambda.models
import moto.cloudwatch.models
import moto.kinesis.models
import moto.logs.models
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import cbor
from .call import Answer

REGION = "us-east-1"
MOMENT = re.compile(r"(Timestamps?|.*(Time|Timestamp|Date))$")


class Simulated:
    """All services but, perhaps, the table."""

    def __init__(self, clock, deliver):
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        _correct(clock, deliver)

    def answer(self, call):
        """Does what is asked."""
        if not call.is_cbor:
            return self._serve(call.environ, call.body)
        shape = call.environ["PATH_INFO"].split("/service/")[1].split("/")[0]
        environ = dict(
            call.environ,
            PATH_INFO="/",
            CONTENT_TYPE="application/x-amz-json-1.0",
            HTTP_X_AMZ_TARGET=f"{shape}.{call.operation}",
        )
        answer = self._serve(environ, json.dumps(call.input).encode())
        output = json.loads(answer.body) if answer.body.strip() else {}
        headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        return Answer(answer.status, headers, cbor.dumps(_moments(output)))

    def _serve(self, environ, body):
        environ = dict(environ, CONTENT_LENGTH=str(len(body)))
        environ["wsgi.input"] = io.BytesIO(body)
        answer = Answer(500)

        def start(status, headers, _exc=None):
            answer.status, answer.headers = int(status.split()[0]), list(headers)

        with self._lock:
            answer.body = b"".join(self._app(environ, start))
        return answer

    def metrics(self, app):
        """What was put for one app, value by value."""
        with self._lock:
            data = cloudwatch_backends[DEFAULT_ACCOUNT_ID][REGION].metric_data
            of_app = [datum for datum in data if any(it.value == app for it in datum.dimensions)]
            return [
                {
                    "namespace": datum.namespace,
                    "name": datum.name,
                    "unit": datum.unit,
                    "dimensions": {it.name: it.value for it in datum.dimensions},
                    "at_ms": round(datum.timestamp.replace(tzinfo=datetime.UTC).timestamp() * 1000),
                    "value": datum.value,
                }
                for datum in of_app
            ]


def _moments(output, name=""):
    """JSON's numbers as CBOR's moments, which only the member's name tells."""
    if isinstance(output, dict):
        return {key: _moments(value, key) for key, value in output.items()}
    if isinstance(output, list):
        return [_moments(value, name) for value in output]
    is_moment = MOMENT.match(name) and isinstance(output, (int, float)) and not isinstance(output, bool)
    return cbor.Timestamp(output) if is_moment else output


def _correct(clock, deliver):
    def send(_backend, function_arn, filter_name, log_group, log_stream, log_events):
        deliver(function_arn.split(":")[6], _subscription(filter_name, log_group, log_stream, log_events))

    def put(backend, stream_arn, filter_name, log_group, log_stream, log_events):
        data = base64.b64decode(_subscription(filter_name, log_group, log_stream, log_events)["awslogs"]["data"])
        stream = backend.describe_stream(stream_arn=stream_arn, stream_name=None)
        record = base64.b64encode(data).decode()
        stream.put_record(partition_key=log_stream, data=record, explicit_hash_key="")

    for target, name, replacement in (
        (moto.awslambda.models.LambdaBackend, "send_log_event", send),
        (moto.kinesis.models.KinesisBackend, "send_log_event", put),
        (moto.logs.models, "utcnow", clock.utcnow),
        (moto.cloudwatch.models, "utcnow", clock.utcnow),
    ):
        mock.patch.object(target, name, replacement).start()


def _subscription(filter_name, log_group, log_stream, log_events):
    """The event that CloudWatch Logs sends: <https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html>."""
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": DEFAULT_ACCOUNT_ID,
        "logGroup": log_group,
        "logStream": log_stream,
        "subscriptionFilters": [filter_name],
        "logEvents": [dict(event, id=f"{event['id']:056}") for event in log_events],
    }
    data = gzip.compress(json.dumps(document).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(data).decode()}}
