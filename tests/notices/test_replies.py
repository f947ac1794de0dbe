import pytest

from complaints.models import Case, CaseEvent, Message
from complaints.notices.replies import Replies, record_replies
from complaints.vocabulary import CaseState
from tests.factories import NOON, make_case, make_message
from tests.notices.rows import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_case("C-1", state=CaseState.NOTIFIED)


def reply(*, references: str = "", subject: str = "Re: mail", sender: str = "someone@else.example") -> Message:
    header = f"From: Chris <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <1@else.example>\r\n"
    header += f"References: <first@else.example> {references}\r\nIn-Reply-To: {references}\r\n" if references else ""
    body = "Our technician comes on Thursday.\r\n\r\n"
    body += "On Tue, 10 Mar 2026, abuse wrote:\r\n> Please fix it\r\n> by Friday.\r\n"
    return make_message((header + "\r\n" + body).encode())


def answers(case: Case) -> list[str]:
    found = CaseEvent.objects.filter(case=case, kind="customer_answered").order_by("pk")
    return [event.data["text"] for event in found]


def test_an_answer_to_our_mail_stands_in_the_case_without_the_quote(case: Case) -> None:
    notice = queued(case)
    assert record_replies([reply(references=notice.message_id)], now=NOON).cases == [case.pk]

    case.refresh_from_db()
    assert answers(case) == ["Our technician comes on Thursday."]
    assert (case.state, case.customer_status) == ("answered", "asks_help")


def test_the_same_answer_counts_once(case: Case) -> None:
    message = reply(references=queued(case).message_id)
    record_replies([message], now=NOON)
    assert record_replies([message], now=NOON) == Replies([case.pk], [])
    assert len(answers(case)) == 1


def test_a_case_number_alone_counts_from_the_address_we_wrote_to(case: Case) -> None:
    notice = queued(case)
    named = reply(subject=f"AW: Spam (case {case.number})", sender=notice.to_email.upper())
    assert record_replies([named], now=NOON).cases == [case.pk]


def test_a_stranger_who_types_a_case_number_changes_nothing(case: Case) -> None:
    queued(case)
    stranger = reply(subject=f"Re: Spam (case {case.number})")
    assert record_replies([stranger], now=NOON) == Replies([], [stranger])

    case.refresh_from_db()
    assert (answers(case), case.state) == ([], "notified")


def test_an_id_that_we_never_gave_out_changes_nothing(case: Case) -> None:
    forged = f"<case-{case.number}.notify-1.0123456789abcdef@isp.example>"
    assert record_replies([reply(references=forged)], now=NOON).cases == []


@pytest.mark.parametrize("state", [CaseState.VERIFYING, CaseState.TRIAGE, CaseState.ANSWERED])
def test_a_machine_at_work_is_not_interrupted_but_the_words_are_kept(case: Case, state: CaseState) -> None:
    notice = queued(case)
    Case.objects.filter(pk=case.pk).update(state=state)
    record_replies([reply(references=notice.message_id)], now=NOON)

    case.refresh_from_db()
    assert (case.state, len(answers(case))) == (state, 1)
