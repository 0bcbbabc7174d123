"""What people and programs got: a queue beside each topic, and one behind a rule on the bus."""

import json

from .aws import Aws

# What docs/connect.md says of every event.
PATTERN = {"source": ["queuewatch"], "detail-type": ["queuewatch incident"]}


class Inbox:
    """Everything that came to one queue, in its order."""

    def __init__(self, aws: Aws, name: str):
        self._sqs = aws.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn = asked["Attributes"]["QueueArn"]
        # The emulator lets nobody in unasked, as AWS does.
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(letting_in(self.arn))})
        self._all: list[dict] = []

    def all(self) -> list[dict]:
        while True:
            got = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
            if not got:
                return self._all
            for message in got:
                self._all.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def letting_in(queue: str) -> dict:
    services = ["sns.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com"]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sqs:SendMessage", "Resource": queue}
    return {"Version": "2012-10-17", "Statement": [statement]}


class Inboxes:
    """Mail, chat and machine events of one stack."""

    def __init__(self, aws: Aws, email_topic: str, chat_topic: str, bus: str):
        sns, events = aws.client("sns"), aws.client("events")
        self._mail, self._chat, self._events = (Inbox(aws, name) for name in ("mail", "chat", "events"))
        for topic, inbox in ((email_topic, self._mail), (chat_topic, self._chat)):
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox.arn)
        events.put_rule(Name="incidents", EventBusName=bus, EventPattern=json.dumps(PATTERN))
        events.put_targets(Rule="incidents", EventBusName=bus, Targets=[{"Id": "queue", "Arn": self._events.arn}])

    def mails(self) -> list[dict]:
        """Subject and Message of each mail, CloudWatch's own alarms among them."""
        return self._mail.all()

    def chats(self) -> list[dict]:
        """Messages in the chat application's schema; CloudWatch's own alarms are left out."""
        said = [json.loads(it["Message"]) for it in self._chat.all()]
        return [it for it in said if it.get("source") == "custom"]

    def events(self) -> list[dict]:
        """The details that a pager would get."""
        return [it["detail"] for it in self._events.all()]
