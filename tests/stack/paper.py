"""Rights that AWS itself uses in these roles, where the emulator asks for none: judged on the calls AWS says it makes.

What is not deployed here, a stream and keys, is judged on the template's own statement.
"""

import pathlib

import yaml

from .emulator import ACCOUNT, REGION
from .guard import allows, policy
from .say import NotSeen, say
from .world import World

TEMPLATE = pathlib.Path(__file__).parents[2] / "template.yaml"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/logs"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/2f5b8a57"
TABLE_KEY = ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*")
# Who asks in the role, by role and statement; for each, the actions and what they are asked for.
LAMBDA_LOGS = "Lambda writes the function's log"
LAMBDA_FAILED = "Lambda keeps a delivery that failed"
LAMBDA_STREAM = "Lambda reads the stream"
ASKED = {
    ("IngestRole", "OwnLogs"): (LAMBDA_LOGS, ("logs:CreateLogStream", "logs:PutLogEvents")),
    ("SweepRole", "OwnLogs"): (LAMBDA_LOGS, ("logs:CreateLogStream", "logs:PutLogEvents")),
    ("IngestRole", "FailedEvents"): (LAMBDA_FAILED, ("s3:PutObject",)),
    ("IngestRole", "FailedEventsBucket"): (LAMBDA_FAILED, ("s3:ListBucket",)),
    ("IngestRole", "Stream"): (
        LAMBDA_STREAM,
        tuple(f"kinesis:{it}" for it in ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")),
    ),
    ("IngestRole", "StreamKey"): (LAMBDA_STREAM, ("kms:Decrypt",)),
    ("IngestRole", "Key"): ("DynamoDB and S3 encrypt", tuple(f"kms:{it}" for it in TABLE_KEY)),
    ("SweepRole", "Key"): ("DynamoDB and SNS encrypt", tuple(f"kms:{it}" for it in TABLE_KEY)),
    ("SweepRole", "TopicKey"): ("SNS encrypts what is published", ("kms:Decrypt", "kms:GenerateDataKey*")),
    ("SweepScheduleRole", "InvokeSweep"): ("the scheduler calls the sweep", ("lambda:InvokeFunction",)),
}
# What a wildcard stands for in a request.
ONE_OF = {"kms:GenerateDataKey*": "kms:GenerateDataKey", "kms:ReEncrypt*": "kms:ReEncryptFrom"}


class Template(yaml.SafeLoader):
    """Reads a template; a function of CloudFormation becomes what it is given."""


def plain(loader: Template, _: str, node: yaml.Node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    construct = kinds.get(type(node), loader.construct_mapping)
    return construct(node) if construct == loader.construct_scalar else construct(node, deep=True)


Template.add_multi_constructor("!", plain)


def statements() -> dict[tuple[str, str], dict]:
    """Every statement of every role, by role and Sid, those under a condition among them."""
    found = {}
    for role, resource in yaml.load(TEMPLATE.read_text(encoding="utf-8"), Template)["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for document in (it["PolicyDocument"] for it in resource["Properties"]["Policies"]):
                for statement in document["Statement"]:
                    statement = statement[1] if isinstance(statement, list) else statement
                    found[role, statement["Sid"]] = statement
    return found


def actions(statement: dict) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def nothing_is_left_out(tried: list[tuple[str, str, str]]) -> None:
    """Each right of the template is either tried on the stack or judged here, and there is none besides."""
    there = {(*place, action) for place, statement in statements().items() for action in actions(statement)}
    judged = {(*place, action) for place, (_, asked) in ASKED.items() for action in asked}
    if there != judged | set(tried):
        raise NotSeen(f"not tried: {sorted(there - judged - set(tried))}; not there: {sorted((judged | set(tried)) - there)}")
    say(f"of the template's {len(there)} rights {len(tried)} are taken away here, {len(judged)} are judged")


def run(world: World) -> None:
    templates = statements()
    for place, (why, asked) in ASKED.items():
        role, sid = place
        deployed = [it for it in policy(world.aws, world.names[role])[1]["Statement"] if it["Sid"] == sid]
        statement = deployed[0] if deployed else filled_in(templates[place])
        for action in asked:
            for resource, conditions in requests(world, place, statement):
                judge(f"{role} {sid} {action}", statement, action, resource, conditions)
        say(f"{role} {sid}: {why}; judged by {'the deployed policy' if deployed else 'the template'}: {', '.join(asked)}")


def judge(name: str, statement: dict, action: str, resource: str, conditions: dict[str, str]) -> None:
    less = {**statement, "Action": [it for it in actions(statement) if it != action]}
    asked = (ONE_OF.get(action, action), resource, conditions)
    if not allows({"Statement": [statement]}, *asked):
        raise NotSeen(f"{name} does not allow {resource} under {conditions}")
    # No action at all would be any action to the judge.
    if less["Action"] and allows({"Statement": [less]}, *asked):
        raise NotSeen(f"{name} allows {resource} without that right")


def filled_in(statement: dict) -> dict:
    """The statement of a stack with a stream and keys, in this region."""
    resource = STREAM if statement["Sid"] == "Stream" else KEY
    services = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])
    condition = {"StringEquals": {"kms:ViaService": [it.replace("${AWS::Region}", REGION) for it in services]}}
    return {**statement, "Resource": resource, "Condition": condition if services else {}}


def requests(world: World, place: tuple[str, str], statement: dict) -> list[tuple[str, dict[str, str]]]:
    """What a statement is asked for, each with the keys of its request."""
    role, sid = place
    bucket = f"arn:aws:s3:::{world.names['FailedEventsBucket']}"
    group = "ingest" if role == "IngestRole" else "sweep"
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{world.names[group.capitalize() + 'LogGroup']}"
    functions = world.aws.client("lambda")
    match sid:
        case "OwnLogs":
            return [(f"{arn}:log-stream:2026/11/29/[$LATEST]0a1b", {})]
        case "FailedEvents":
            return [(f"{bucket}/aws/lambda/async/ingest/2026/11/29/it", {})]
        case "FailedEventsBucket":
            return [(bucket, {})]
        case "InvokeSweep":
            return [(functions.get_function_configuration(FunctionName=world.names["SweepFunction"])["FunctionArn"], {})]
        case "Key":
            return [(KEY, {"kms:ViaService": it}) for it in statement["Condition"]["StringEquals"]["kms:ViaService"]]
        case _:
            return [(statement["Resource"], {})]
