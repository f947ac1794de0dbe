"""Mails of ours that come back: known by the address they return to, or by the Message-ID of the original in them.

Both were drawn by lot, so a forged bounce that has neither changes nothing: at most a person is asked to look, once a
case. Many at once are read one by one and looked up together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from complaints.cases.tasks import open_task
from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Forward, Message, Notice, ReporterMail
from complaints.models.outgoing import OutgoingMail
from complaints.models.text import storable
from complaints.notices.next_contact import after_return
from complaints.notices.reporter_mail import stop_waiting
from complaints.notices.returned import Returned, read_returned
from complaints.notices.verp import FORWARDED, TO_REPORTER, mail_of_bounce
from complaints.vocabulary import EventKind

PERHAPS = "perhaps_undelivered"  # kind of desk task
MOST_DOUBTS = 20  # of a batch: a flood of forged bounces makes no flood of questions
Model = type[OutgoingMail]
LETTERS: dict[str, Model] = {"": Notice, TO_REPORTER: ReporterMail, FORWARDED: Forward}
SENT = OutgoingMail.State.SENT


def record_bounces(messages: Sequence[Message], *, now: datetime) -> list[int]:
    """Mails that came back as undeliverable count as failed, once. Returns the ids of the cases to look at."""
    read = [(message, said) for message in messages if (said := read_returned(message.raw))]
    named = [(said, names_in(message, said)) for message, said in read]
    found = look_up([name for _, names in named for name in names], [each for said, _ in named for each in said.ids])
    cases: set[int] = set()
    for said, names in named:
        mails = {found[key] for key in (*names, *said.ids) if key in found}
        for mail in sorted(mails, key=lambda each: each.pk):
            cases.update(record_return(mail, said, now=now))
    wonder([said for said, names in named if said.final and not names and not said.ids], now=now)
    return sorted(cases)


def names_in(message: Message, said: Returned) -> list[str]:
    """By the envelope; by the bounce's own header where a pipe lost the envelope. Either is signed."""
    names = map(mail_of_bounce, (*message.envelope_to.splitlines(), *said.sent_to))
    return list(dict.fromkeys(name for name in names if name))


def look_up(names: Iterable[str], ids: Iterable[str]) -> dict[str, OutgoingMail]:
    """The mails by VERP name and by Message-ID, as far as there are such and they count as sent."""
    keys: dict[str, list[int]] = defaultdict(list)
    for name in names:
        kind, number = (name[0], name[1:]) if name[0] in LETTERS else ("", name)
        keys[kind].append(int(number))
    wanted, found = list(set(ids)), dict[str, OutgoingMail]()
    for kind, model in LETTERS.items():
        if keys[kind] or wanted:
            rows = model._default_manager.filter(Q(pk__in=set(keys[kind])) | Q(message_id__in=wanted), state=SENT)
            for mail in rows:
                found[f"{kind}{mail.pk}"] = found[mail.message_id] = mail
    return found


def record_return(mail: OutgoingMail, said: Returned, *, now: datetime) -> list[int]:
    """A mail that is only late still counts as sent, and says so. A digest came back for all that it carried."""
    if not said.final:
        type(mail)._default_manager.filter(pk=mail.pk, state=SENT).update(problem=storable(f"late: {said.reason}", 510))
        return []
    problem = storable(f"came back: {said.reason}", 520)
    if isinstance(mail, Notice):
        carried = Notice.objects.filter(carried_by=mail, state=SENT)
        return [case for each in (mail, *carried) for case in return_notice(each, said, problem, now=now)]
    with transaction.atomic():
        sent = type(mail)._default_manager.filter(pk=mail.pk, state=SENT)
        if sent.update(state=mail.State.FAILED, problem=problem):
            return RETURNS[type(mail)](mail, problem, now)
    return []


def return_notice(notice: Notice, said: Returned, problem: str, *, now: datetime) -> list[int]:
    with transaction.atomic():
        sent = Notice.objects.filter(pk=notice.pk, state=SENT)
        if not sent.update(state=Notice.State.FAILED, problem=problem):
            return []
        record(
            notice.case, EventKind.NOTICE_FAILED, actor=MACHINE, now=now,
            notice=notice.pk, step=notice.step, occurrence=notice.occurrence, to=notice.to_email, problem=problem,
        )  # fmt: skip
        after_return(notice, problem=said.reason, status=said.status, now=now)
    return [notice.case_id]


def return_reporter_mail(mail: OutgoingMail, problem: str, now: datetime) -> list[int]:
    assert isinstance(mail, ReporterMail)
    stop_waiting(mail, now=now)
    return []


def return_forward(mail: OutgoingMail, problem: str, now: datetime) -> list[int]:
    assert isinstance(mail, Forward)
    record(mail.case, EventKind.FORWARDED, actor=MACHINE, now=now, forward=mail.pk, to=mail.to_email, problem=problem)
    return [mail.case_id]


RETURNS = {ReporterMail: return_reporter_mail, Forward: return_forward}


def wonder(doubtful: Sequence[Returned], *, now: datetime) -> None:
    """It names a case and its recipient, and proves nothing: a person looks, once a case."""
    asked: set[int] = set()
    for said in doubtful:
        if len(asked) >= MOST_DOUBTS:
            return
        for case in cases_named(said):
            if case.pk not in asked:
                asked.add(case.pk)
                ask_whether(case, said, now=now)


def cases_named(said: Returned) -> list[Case]:
    if not said.recipients:
        return []
    cases = [case for number in said.numbers for case in Case.objects.active().numbered(number)]
    return [case for case in cases if case.notices.filter(state=SENT, to_email__in=said.recipients).exists()]


def ask_whether(case: Case, said: Returned, *, now: datetime) -> None:
    open_task(
        PERHAPS,
        str(case.pk),
        title=f"Did our mail about case {case.number} arrive?",
        text=f"A mail says that it did not reach {', '.join(said.recipients)[:300]} ({said.reason}), but it does not "
        "carry what would prove that it is an answer to ours. Look at it, and call the customer if in doubt.",
        url=f"/case/{case.pk}",
        actor=MACHINE,
        now=now,
        case=case,
    )
