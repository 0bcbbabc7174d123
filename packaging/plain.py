"""Writes template.yaml without SAM's transform: plain CloudFormation, for whoever deploys with `aws cloudformation deploy`,
a StackSet or Terraform, and puts the function's zip into a bucket of their own.

    packaging/plain.py ARCH DIST_FOLDER

It does by hand what the transform does to two functions: `Globals` goes into each, and their `EventInvokeConfig` becomes a
resource of the name that SAM gives it, so that a stack may change from one template to the other.
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r"^  (\w+):\n    Type: AWS::Serverless::Function\n(?:(?:    .*)?\n)*?(?=^  \S|^\n  \S)", re.MULTILINE)
CODE = """    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref CodeBucket, S3Key: !Ref CodeKey}
"""
PARAMETERS = """Parameters:
  CodeBucket:
    Type: String
    Description: The bucket, in this region, that the function's zip was copied into.
  CodeKey:
    Type: String
    Default: ZIP
    Description: The zip's key there. Another key for each version, or CloudFormation sees no change.
"""


def fail(why: str) -> None:
    sys.exit(f"packaging/plain.py: template.yaml has changed its shape: {why}")


def cut(text: str, pattern: str, what: str) -> tuple[str, str]:
    """What matches, and the text without it."""
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        fail(what)
    return found.group(0), text[: found.start()] + text[found.end() :]


def globals_of(text: str) -> tuple[list[str], list[str], str]:
    """Properties and variables that all functions share, and the text without them."""
    block, text = cut(text, r"^Globals:\n(?:  .*\n)+\n", "Globals")
    properties, variables = block.split("    Environment:\n      Variables:\n")
    shared = [line[4:] for line in properties.splitlines()[2:] if not line.strip().startswith("CodeUri")]
    return [f"      {line}\n" for line in shared], [f"    {line[2:]}\n" for line in variables.splitlines() if line], text


def plain(block: str, name: str, properties: list[str], variables: list[str]) -> str:
    """One function and what is to be done with its failed events."""
    _, block = cut(block, r"^    Type: AWS::Serverless::Function\n    Metadata:\n      BuildMethod: makefile\n    Properties:\n", name)
    invoke, block = cut(block, r"^      EventInvokeConfig:\n(?:        .*\n)+", "EventInvokeConfig")
    head = f"  {name}:\n"
    if not block.startswith(head):
        fail(name)
    own = "      Environment:\n        Variables:\n"
    if block.count(own) != 1:
        fail("Environment")
    block = head + CODE + "".join(properties) + block[len(head) :].replace(own, own + "".join(variables))
    invoke = re.sub(r"^ +Type: S3Bucket\n", "", invoke, flags=re.MULTILINE)
    invoke = "".join(line[2:] for line in invoke.splitlines(keepends=True)[1:])
    return (
        f"{block}\n  {name}EventInvokeConfig:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties:\n"
        f"      FunctionName: !Ref {name}\n      Qualifier: $LATEST\n{invoke}"
    )


def main() -> None:
    arch, dist = sys.argv[1], pathlib.Path(sys.argv[2])
    text = pathlib.Path("template.yaml").read_text(encoding="utf-8")
    _, text = cut(text, r"^Transform: .*\n", "Transform")
    properties, variables, text = globals_of(text)
    if len(FUNCTION.findall(text)) != 2:
        fail("two functions")
    text = FUNCTION.sub(lambda it: plain(it.group(0), it.group(1), properties, variables), text)
    text = text.replace("Parameters:\n", PARAMETERS.replace("ZIP", f"queuewatch-lambda-{arch}.zip"), 1)
    text = text.replace("    Default: arm64\n    AllowedValues: [arm64, x86_64]", f"    Default: {arch}\n    AllowedValues: [{arch}]")
    text = text.replace("what `sam deploy` makes.", "without SAM's transform.")
    (dist / f"template-plain-{arch}.yaml").write_text(text, encoding="utf-8")


main()
