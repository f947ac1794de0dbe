import pytest

from complaints.formats import read_message
from complaints.models import Case, CaseEvent, Message
from complaints.notices.replies import Replies, record_replies, subject_mark
from complaints.notices.verp import bounce_address
from complaints.vocabulary import CaseState, Disposition
from tests.factories import NOON, make_case, make_contact, make_message
from tests.notices.rows import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_case("C-1", state=CaseState.NOTIFIED)


def reply(
    *,
    references: str = "",
    subject: str = "Re: mail",
    sender: str = "someone@else.example",
    to: str = "abuse@isp.example",
) -> Message:
    header = f"To: {to}\r\nFrom: Chris <{sender}>\r\nSubject: {subject}\r\nMessage-ID: <1@else.example>\r\n"
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


# -- by the address, by the mark, and from whom


def test_an_answer_to_the_address_that_our_mail_came_from_finds_its_case(case: Case) -> None:
    message = reply(to=bounce_address(queued(case).pk), sender="bookkeeping@else.example")
    assert read_message(message.raw).disposition is Disposition.CUSTOMER_REPLY
    assert record_replies([message], now=NOON).cases == []  # with the null sender it would be a bounce
    message.envelope_from = "bookkeeping@else.example"
    assert record_replies([message], now=NOON).cases == [case.pk]


def test_a_guessed_return_address_finds_nothing(case: Case) -> None:
    message = reply(to=f"bounce+{queued(case).pk}-0123456789@isp.example")
    message.envelope_from = "bookkeeping@else.example"
    assert record_replies([message], now=NOON).cases == []


def test_an_odd_bounce_to_that_address_is_no_answer(case: Case) -> None:
    message = reply(to=bounce_address(queued(case).pk), sender="mailer-daemon@else.example")
    assert read_message(message.raw).disposition is not Disposition.CUSTOMER_REPLY


def test_the_mark_in_the_subject_counts_from_any_contact_of_the_contract(case: Case) -> None:
    queued(case)
    make_contact(case.contract, email="it@studio.example", name="Ida", role="technical")
    subject = f"Our relay {subject_mark(case.number)}"
    assert record_replies([reply(subject=subject)], now=NOON).cases == []
    assert record_replies([reply(subject=subject, sender="IT@studio.example")], now=NOON).cases == [case.pk]


def test_a_wrong_mark_counts_from_nobody_we_did_not_write_to(case: Case) -> None:
    queued(case)
    make_contact(case.contract, email="it@studio.example", name="Ida", role="technical")
    wrong = reply(subject=f"Relay [{case.number}-0123456789]", sender="it@studio.example")
    assert record_replies([wrong], now=NOON).cases == []


def test_who_is_no_contact_is_kept_apart_and_what_they_quote_is_folded(case: Case) -> None:
    notice = queued(case)
    record_replies([reply(references=notice.message_id)], now=NOON)
    record_replies([reply(references=notice.message_id, sender=notice.to_email)], now=NOON)
    strange, known = [e.data for e in CaseEvent.objects.filter(kind="customer_answered").order_by("pk")]
    assert (strange["sender"], strange["thread"]) == ("someone@else.example", "third")
    assert (known["sender"], known.get("thread")) == (notice.to_email.lower(), None)
    assert known["text"] == "Our technician comes on Thursday."
    assert known["whole"].endswith("> Please fix it\n> by Friday.")


def test_attachments_are_named_and_never_opened(case: Case) -> None:
    notice = queued(case)
    raw = (
        f"From: Chris <{notice.to_email}>\r\nSubject: Re: mail\r\nIn-Reply-To: {notice.message_id}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nDone.\r\n"
        '--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename="../evil.html"\r\n\r\n'
        "<script>alert(1)</script>\r\n--b--\r\n"
    )
    record_replies([make_message(raw.encode())], now=NOON)
    (file,) = CaseEvent.objects.get(kind="customer_answered").data["files"]
    assert (file["name"], file["type"], file["size"]) == ("evil.html", "text/html", 25)
