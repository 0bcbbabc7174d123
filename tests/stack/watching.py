"""A quarter of an hour after the first lines, mail and chat hear once that queuewatch watches, and what it cannot see."""

from .deploy import APP
from .say import check, wait_for
from .world import World

GREETING_S = 17 * 60


def run(world: World) -> None:
    def greeted():
        return [it for it in world.inboxes.mails() if it.get("Subject", "").startswith(f"WATCHING {APP}: ")]

    mail = wait_for("a mail says that it is now watching", GREETING_S, greeted)[0]
    check(mail["Subject"].endswith(f"{len(world.story)} lines read, 1 queue seen"), f"its subject is {mail['Subject']!r}")
    check("no job was ever seen to start or end" in mail["Message"], "it says that no worker was ever heard")
    chats = [it for it in world.inboxes.chats() if mail["Subject"] in str(it)]
    check(len(chats) == 1 and len(greeted()) == 1, "one mail and one chat message")
