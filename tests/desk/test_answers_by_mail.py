"""Mailed answers on the case page: what they seem to say is offered, and their files are downloads."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from complaints.models import Case, CaseEvent
from complaints.notices.replies import record_replies
from complaints.vocabulary import CaseState
from tests.factories import NOON, make_case, make_message
from tests.notices.rows import queued

pytestmark = pytest.mark.django_db
PAGE = b"<script>alert(1)</script>"


def answered(text: str, *, sender: str = "") -> Case:
    case = make_case("C-1", state=CaseState.NOTIFIED)
    notice = queued(case)
    raw = (
        f"From: Chris <{sender or notice.to_email}>\r\nSubject: Re: mail\r\nIn-Reply-To: {notice.message_id}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        '--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename="log.html"\r\n\r\n'
        f"{PAGE.decode()}\r\n--b--\r\n"
    )
    record_replies([make_message(raw.encode())], now=NOON)
    case.refresh_from_db()
    return case


def page(client: Client, case: Case) -> str:
    return client.get(f"/case/{case.pk}").content.decode()


def press(client: Client, case: Case, kind: str, **data: Any) -> Any:
    return client.post(f"/case/{case.pk}/answer/{kind}", {"stay": case.stay, **data})


def test_what_an_answer_seems_to_say_is_offered_and_not_acted_upon(ada: Client) -> None:
    case = answered("The relay is closed now.")
    assert case.state == CaseState.ANSWERED
    shown = page(ada, case)
    assert f"/case/{case.pk}/answer/fixed" in shown
    assert "“The relay is closed now.”" in shown


def test_one_click_lets_it_count_in_the_analysts_name_and_the_offer_is_gone(ada: Client) -> None:
    case = answered("The relay is closed now.")
    assert press(ada, case, "fixed").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.customer_status) == (CaseState.VERIFYING, "claims_fixed")
    last = CaseEvent.objects.filter(kind="customer_answered").order_by("-pk")[0]
    assert (last.actor, last.data) == ("ada", {"answer": "fixed", "text": "The relay is closed now."})
    assert f"/case/{case.pk}/answer/fixed" not in page(ada, case)


def test_a_click_on_an_old_page_changes_nothing(ada: Client) -> None:
    case = answered("The relay is closed now.")
    assert press(ada, case, "fixed", stay=case.stay - 1).status_code == 409
    case.refresh_from_db()
    assert case.state == CaseState.ANSWERED


def test_an_unclear_answer_offers_nothing(ada: Client) -> None:
    case = answered("It will be closed once the technician was here.")
    assert f"/case/{case.pk}/answer/" not in page(ada, case)


def test_who_is_no_contact_is_named_and_nothing_is_offered(ada: Client) -> None:
    case = answered("The relay is closed now.", sender="someone@else.example")
    shown = page(ada, case)
    assert "no contact of the contract" in shown
    assert f"/case/{case.pk}/answer/" not in shown


def test_there_is_no_other_answer(ada: Client) -> None:
    assert press(ada, answered("Hello."), "maybe").status_code == 404


def test_an_attachment_is_a_download_that_no_browser_understands(ada: Client) -> None:
    case = answered("Done.")
    (event,) = CaseEvent.objects.filter(kind="customer_answered")
    url = f"/message/{event.data['message']}/file/{hashlib.sha256(PAGE).hexdigest()}"
    assert url in page(ada, case)
    response = ada.get(url)
    assert response.content == PAGE
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Disposition"].startswith("attachment;")
    assert ada.get(f"/message/{event.data['message']}/file/{'0' * 64}").status_code == 404
