"""Whose turn it is, in words, with the next-best action; and how far a case has come. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from complaints.vocabulary import CaseState, CustomerStatus

S, C = CaseState, CustomerStatus


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """`action` names what the one primary button does: notify, check, verify, close, whose; "" when waiting is best.

    The text gives the reason.
    """

    text: str
    tone: str  # warn: yours; good: done; "": somebody else's
    action: str = ""
    label: str = ""


YOURS = "warn"
ALWAYS = {
    S.INVESTIGATING: Turn("The machine's turn: it is checking the address and looks for the cause.", ""),
    S.NOTIFIED: Turn("The customer's turn: they were told and have not answered yet.", ""),
    S.VERIFYING: Turn("The machine's turn: it verifies the fix and closes the case only on proof.", ""),
    S.ESCALATED: Turn(
        "The network's turn: the deadline passed without a proven fix. What a person must do is a task of its own.",
        "", "verify", "Verify whether it is fixed",
    ),
    S.ANSWERED: Turn("Your turn: the customer has answered.", YOURS, "notify", "Tell them what is still open"),
    S.TRIAGE: Turn("Your turn: the machine is not sure enough to accuse anybody.", YOURS, "check", "Check again"),
}  # fmt: skip
BY_CUSTOMER = {
    (S.NOTIFIED, C.SEEN): Turn("The customer's turn: they have opened their page and not answered yet.", ""),
    (S.ANSWERED, C.DISPUTES): Turn(
        "Your turn: the customer says this is not them. Read the attribution of each complaint before you decide.",
        YOURS, "check", "Check again",
    ),
    (S.ANSWERED, C.ASKS_HELP): Turn(
        "Your turn: the customer asks for help or more time.", YOURS, "notify", "Tell them again, with a new deadline"
    ),
    (S.ANSWERED, C.ASKS_TIME): Turn(
        "Your turn: the customer asks for more time, and no machine may grant it. See what was granted before.",
        YOURS, "notify", "Tell them again, with a new deadline",
    ),
    (S.ANSWERED, C.FOUND_NOTHING): Turn(
        "Your turn: the customer has looked and found nothing, and no machine may answer that. Read what proves it.",
        YOURS, "check", "Check again",
    ),
    (S.ANSWERED, C.CLAIMS_FIXED): Turn(
        "Your turn: the customer says it is fixed, and the checks do not confirm it. The last move says why.",
        YOURS, "notify", "Tell them what is still open",
    ),
    (S.VERIFYING, C.CLAIMS_FIXED): Turn(
        "The machine's turn: the customer says it is fixed; it closes only when the checks agree.", ""
    ),
}  # fmt: skip


def turn_in_words(
    *,
    state: CaseState,
    customer: CustomerStatus,
    proven: bool,
    checked: bool,
    sure_owner: bool,
    suspected: bool,
    ended: str = "",
) -> Turn:
    """`suspected`: a cause is named, if only as a guess. `ended`: the resolution of a closed case in words."""
    if state is S.CLOSED:
        return Turn(f"Closed: {ended[0].lower()}{ended[1:]}. New evidence opens a linked case.", "good")
    if state is S.TRIAGE:
        told = customer is not C.NONE
        return triage(proven=proven, checked=checked, sure_owner=sure_owner, suspected=suspected, told=told)
    return BY_CUSTOMER.get((state, customer), ALWAYS[state])


def triage(*, proven: bool, checked: bool, sure_owner: bool, suspected: bool, told: bool) -> Turn:
    if not sure_owner:
        return Turn(
            "Your turn: it is not sure enough whose address this was, so nobody was told.",
            YOURS, "whose", "See who had it",
        )  # fmt: skip
    if proven and told:
        return Turn("Your turn: the cause is proven and it goes on.", YOURS, "notify", "Tell them what is still open")
    if proven:
        return Turn("Your turn: the cause is proven and nobody was told.", YOURS, "notify", "Tell the customer")
    if not checked:
        return Turn("Your turn: no check has given a clear answer.", YOURS, "check", "Check again")
    if not suspected:
        return Turn(
            "Your turn: the checks found nothing wrong. Read the complaints; unless they convince you, "
            "close it as “not abuse”.",
            YOURS, "close", "Close it …",
        )  # fmt: skip
    return Turn(
        "Your turn: the cause is not proven. Read the complaints, then tell the customer or close it.",
        YOURS, "notify", "Tell the customer",
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One part of the bar at the top. `mark`: done, now, todo, skipped."""

    title: str
    mark: str


TITLES = ("Complaint", "Checked", "Customer told", "Customer's fix", "Verified", "Closed")
TOLD = 2  # place of "Customer told"
PLACE = {S.INVESTIGATING: 1, S.TRIAGE: 1, S.NOTIFIED: 3, S.ANSWERED: 3, S.ESCALATED: 3, S.VERIFYING: 4, S.CLOSED: 5}
NOW_TITLES = {
    S.INVESTIGATING: "Being checked",
    S.TRIAGE: "Triage",
    S.NOTIFIED: "Customer is fixing",
    S.ANSWERED: "Answer to read",
    S.ESCALATED: "Escalated",
    S.VERIFYING: "Being verified",
    S.CLOSED: "Closed",
}


def stages(*, state: CaseState, told: bool, checked: bool, claimed: bool, fixed: bool) -> Sequence[Stage]:
    """What really happened, so that a case closed early shows its gaps.

    `claimed`: somebody says it is fixed. `fixed`: verified.
    """
    happened = {1: checked, 2: told, 3: told and (fixed or (claimed and state is S.VERIFYING)), 4: fixed}
    place = PLACE[state]
    return [
        Stage(
            NOW_TITLES[state] if index == place and state is not S.CLOSED else title,
            mark_of(index, place, happened.get(index, True), closed=state is S.CLOSED),
        )
        for index, title in enumerate(TITLES)
    ]


def mark_of(index: int, place: int, happened: bool, *, closed: bool) -> str:
    if index > place:
        return "done" if index == TOLD and happened else "todo"  # a case in triage may have been with the customer
    if index == place:
        return "done" if closed else "now"
    return "done" if happened else "skipped"
