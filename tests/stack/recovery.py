"""A worker is heard: the incident is resolved, and mail, chat, events, metrics and alarms say so."""

import datetime

from . import founding
from .say import check, wait_for
from .update import ZONE
from .world import World

RESOLVED_S = 150


def run(world: World) -> None:
    founding.put(world.aws, world.log_group, founding.worked_off(world.story, datetime.datetime.now(founding.UTC)))

    def resolved():
        return [it for it in world.events_of("stalled", "resolved") if it["dedup_key"] == world.incident]

    event = wait_for("an event says that it is over", RESOLVED_S, resolved)[0]
    check(len(world.mails(event["subject"])) == 1, f"one mail says so, {event['subject']!r}")
    check(sum(event["subject"] in str(it) for it in world.inboxes.chats()) == 1, "and one chat message")
    check(ZONE in event["text"], f"its times are in {ZONE}, as the new version was told")
    for metric in ("StalledQueues", "Overdue", "Pending"):
        wait_for(f"the metric {metric} is 0", 90, lambda: world.metric(metric) == 0)
    wait_for("the alarm StalledQueuesAlarm is OK", 150, lambda: world.alarm("StalledQueuesAlarm") == "OK")
