"""The customers: what they do when a mail of the desk reaches them. Decisions only; life.py carries them out. Pure."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import random
import re
from collections.abc import Iterator
from typing import Any

MESSAGE_ID = re.compile(r"<case-(?P<number>[^.\s]+)\.(?P<step>[a-z][a-z0-9_]*)-\d+\.")
FIRST_MAILS = ("notify", "remind")
EVERY_MAIL = (*FIRST_MAILS, "still_open", "escalated")


@dataclasses.dataclass(frozen=True, slots=True)
class Notice:
    """One mail of the desk, as its reader sees it. link: the page of the case."""

    to: str
    case: str
    step: str
    subject: str
    link: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reaction:
    """Seconds after the mail; None: never."""

    reads: float | None = None
    repairs: float | None = None
    answers: float | None = None
    answer: str = "fixed"
    text: str = ""


REPAIRS_AND_SAYS_SO = Reaction(reads=5, repairs=8, answers=25)
HELP = "Our server was set up by a company that is gone. Could somebody of yours look at it with me this week?"
DENIAL = "We have looked at every machine, and nobody here sent this."
# Habit → step of the mail → reaction. A step that is not named leaves them cold.
HABITS: dict[str, dict[str, Reaction]] = {
    "asleep": {},
    "fixes_quickly": dict.fromkeys(EVERY_MAIL, REPAIRS_AND_SAYS_SO),
    # The technician repairs at once and nobody presses: the button is left to whoever watches the demo.
    "by_hand": dict.fromkeys(EVERY_MAIL, Reaction(repairs=1)),
    "presses_without_fixing": {
        "notify": Reaction(reads=6, answers=14, text="Restarted everything, should be fine now."),
        "remind": Reaction(reads=4, repairs=8, answers=20),
        "still_open": Reaction(reads=8, repairs=18, answers=35, text="Found it: the old rule was still active."),
    },
    "ignores": {},
    "reads_and_ignores": dict.fromkeys((*FIRST_MAILS, "escalated"), Reaction(reads=12)),
    "wakes_late": {
        "notify": Reaction(reads=30),
        "escalated": Reaction(reads=20, repairs=60, answers=90, text="Sorry, your mails lay in our spam folder."),
        "still_open": REPAIRS_AND_SAYS_SO,
    },
    "disputes": {"notify": Reaction(reads=6, answers=18, answer="not_me", text=DENIAL)},
    "asks_help": {"notify": Reaction(reads=7, answers=22, answer="needs_help", text=HELP)},
    "relapses": dict.fromkeys(EVERY_MAIL, REPAIRS_AND_SAYS_SO),
}  # fmt: skip


def read_notice(raw: bytes, *, to: str, site: str) -> Notice | None:
    """None for mail that is no notice of a case, or has no link to a page of `site` in its text."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    named = MESSAGE_ID.match(str(mail.get("Message-ID", "")).strip())
    text = mail.get_body(("plain",))
    lines = text.get_content().splitlines() if text else []
    link = next((line for line in lines if re.fullmatch(rf"{re.escape(site)}/\S{{20,}}", line)), None)
    if named is None or link is None:
        return None
    return Notice(to.lower(), named["number"], named["step"], str(mail["Subject"]), link)


def react(habit: str, notice: Notice, rng: random.Random) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """What the reader will do: (seconds from now, verb of life.py, its arguments beside the contract)."""
    reaction = HABITS[habit].get(notice.step)
    if reaction is None:
        return
    haste = rng.uniform(0.8, 1.3)
    if reaction.reads is not None:
        yield reaction.reads * haste, "read", {"link": notice.link}
    if reaction.repairs is not None:
        yield reaction.repairs * haste, "repair", {}
    if reaction.answers is not None:
        args = {"link": notice.link, "answer": reaction.answer, "text": reaction.text}
        yield reaction.answers * haste, "answer", args
