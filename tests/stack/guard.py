"""Judges at the door what the emulator lets every role do, with the emulator's own judge and the role's own policies.

It asks for no right where a request speaks CBOR, which PutMetricData does. And it lets the policy that each topic has by
itself speak for every caller of the account, so that nobody needs `sns:Publish`; on AWS that policy does not.
"""

import json
import urllib.parse

import cbor2
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from .aws import Aws
from .door import Refusal
from .emulator import ACCOUNT, REGION


def policy(aws: Aws, role: str) -> tuple[str, dict]:
    """The one policy of a role, with its name."""
    iam = aws.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    said = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return name, said if isinstance(said, dict) else json.loads(urllib.parse.unquote(said))


def allows(document: dict, action: str, resource: str, conditions: dict[str, str] | None = None) -> bool:
    """Whether a policy lets its role do this, as the emulator judges it."""
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/function/session", principal_type="AssumedRole",
        principal_account=ACCOUNT, action=action, resource_arn=resource, region=REGION,
        service_context={key.lower(): value for key, value in (conditions or {}).items()},
    )
    return evaluate(context, [parse_policy_document(document)]).decision == "Allow"


def guard(aws: Aws, role: str):
    """What this role may not publish, is refused."""

    def refuse(key: str, service: str, operation: str, body: bytes) -> Refusal | None:
        if operation == "PutMetricData":
            asked = ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": cbor2.loads(body)["Namespace"]})
            answer = cbor2.dumps({"__type": "AccessDenied", "message": "not authorized to perform: cloudwatch:PutMetricData"})
            kind = "application/cbor"
        elif operation == "Publish":
            topic = urllib.parse.parse_qs(body.decode())["TopicArn"][0]
            asked = ("sns:Publish", topic, None)
            answer = ERROR % f"not authorized to perform: SNS:Publish on resource: {topic}".encode()
            kind = "text/xml"
        else:
            return None
        return None if allows(policy(aws, role)[1], *asked) else Refusal(403, kind, answer)

    return refuse


ERROR = b"<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>%s</Message></Error></ErrorResponse>"
