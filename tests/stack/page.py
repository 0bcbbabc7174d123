"""The founding incident on the deployed stack: its page, as mail, chat and event, its metrics and its alarms."""

import datetime

from . import founding
from .say import check, wait_for
from .world import World

CAUSE = "logs_not_forwarded"
# The longest grace that is deployed here, and two ticks.
PAGE_S = 7 * 60


def run(world: World) -> None:
    lines = founding.story(datetime.datetime.now(founding.UTC))
    founding.put(world.aws, world.log_group, lines)
    world.story = lines

    event = wait_for("an event says what a page says", PAGE_S, lambda: world.events_of("stalled", "firing"))[0]
    check(event["cause"] == CAUSE, f"its cause is {CAUSE}")
    check((event["severity"], event["queues"], event["jobs"]) == ("page", ["default"], 2), "it pages for two jobs on default")
    world.incident = event["dedup_key"]

    mails = world.mails(event["subject"])
    check(len(mails) == 1, f"one mail, {event['subject']!r}")
    check(event["text"].strip() == mails[0]["Message"].strip(), "the mail's words are the event's")
    check("storage/logs/queue-" in mails[0]["Message"], "it names the file that the worker writes to")
    chats = [it for it in world.inboxes.chats() if event["subject"] in str(it)]
    check(len(chats) == 1 and world.incident in str(chats[0]), "one chat message, with the incident's id")

    for metric, least in (("StalledQueues", 1), ("Overdue", 1), ("Pending", 2)):
        wait_for(f"the metric {metric} is {least} or more", 90, lambda: (world.metric(metric) or 0) >= least)
    for logical, state in (("StalledQueuesAlarm", "ALARM"), ("OverdueJobsAlarm", "ALARM"), ("SweepHeartbeatAlarm", "OK")):
        wait_for(f"the alarm {logical} is {state}", 90, lambda: world.alarm(logical) == state)
