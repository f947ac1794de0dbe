"""A letter came back for good: note it on the contact, write to the next one of the contract, or ask a person."""

from __future__ import annotations

from datetime import datetime

from complaints.attribution.contacts import note_bounced
from complaints.cases.moving import WITHDRAWN
from complaints.cases.tasks import open_task
from complaints.cases.transitions import MACHINE
from complaints.models import Case, Contact, Notice
from complaints.models.customers import ROLE_ORDER
from complaints.notices.compose import queue_notice, restored
from complaints.notices.returned import is_about_address
from complaints.vocabulary import CaseState, CustomerStatus

UNREACHED = "nobody_reached"  # kind of desk task
NOT_HEARD = (CustomerStatus.NONE, CustomerStatus.NOTIFIED)


def after_return(notice: Notice, *, problem: str, status: str, now: datetime) -> None:
    """Call it in the transaction that marks the notice failed.

    status: RFC 3463; a refusal of the mail or of our server says nothing against the address.
    """
    if is_about_address(status):
        note_bounced(notice.to_email, reason=problem, now=now)
    case = Case.objects.select_related("contract").get(pk=notice.case_id)
    if not case.notices.filter(state=Notice.State.SENT).exists():  # then nobody has been told
        Case.objects.filter(pk=case.pk, customer_status=CustomerStatus.NOTIFIED).update(
            customer_status=CustomerStatus.NONE
        )
        if case.customer_status == CustomerStatus.NOTIFIED:
            case.customer_status = CustomerStatus.NONE
    if case.state != CaseState.CLOSED and case.customer_status in NOT_HEARD:
        write_to_next(case, notice, problem=problem, now=now)


def write_to_next(case: Case, notice: Notice, *, problem: str, now: datetime) -> Notice | None:
    """The same letter to the next contact, whom the case's letters go to from now on; None: a person was asked."""
    tried = case.notices.filter(step=notice.step, occurrence=notice.occurrence)
    found = None if notice.step == WITHDRAWN else next_contact(case, tried={n.to_email.lower() for n in tried})
    if found is None:
        ask_person(case, notice, problem=problem, now=now)
        return None
    case.owner = case.owner | {
        "contact_name": found.name,
        "contact_email": found.email,
        "contact_role": found.role,
        "language": found.language,
    }
    case.save(update_fields=["owner"])
    last = max(each.recipient for each in tried)
    return queue_notice(
        case, notice.step, occurrence=notice.occurrence, recipient=last + 1, now=now, extra=restored(notice.given)
    )


def next_contact(case: Case, *, tried: set[str]) -> Contact | None:
    """The first by role that nothing is known against and that this letter was not sent to."""
    usable = [each for each in case.contract.contacts.filter(problem="") if each.email.lower() not in tried]
    return min(usable, key=lambda each: (ROLE_ORDER.index(each.role), each.pk), default=None)


def ask_person(case: Case, notice: Notice, *, problem: str, now: datetime) -> None:
    who = case.owner.get("customer_name") or case.owner.get("contract")
    open_task(
        UNREACHED,
        str(case.pk),
        title=f"Reach {who} another way: our mail came back",
        text=f"The letter to {notice.to_email} did not arrive ({problem}), and the contract has no other contact to "
        "write to. Call them, add a contact, then tell the customer again from the case.",
        url=f"/case/{case.pk}",
        actor=MACHINE,
        now=now,
        case=case,
    )
