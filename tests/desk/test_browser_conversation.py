"""The conversation of a case in a real browser: for assistive technology, and on every width."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from complaints.models import Case
from complaints.notices.replies import record_replies
from complaints.vocabulary import CaseState
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_case, make_complaint, make_message
from tests.notices.rows import queued

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def spoken(db: None) -> Case:
    """Customer and a stranger have answered by mail, with a long word and a file."""
    now = timezone.now()
    case = make_case("C-1", state=CaseState.NOTIFIED)
    make_complaint(case, reporter="lena@studio-hoff.example")
    notice = queued(case, now=now)
    for sender in (notice.to_email, f"{'someone' * 8}@else.example"):
        raw = (
            f"From: <{sender}>\r\nSubject: Re\r\nIn-Reply-To: {notice.message_id}\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n'
            f"The relay is closed now. {'wide' * 60}\r\n\r\nOn Tue, 10 Mar 2026, abuse wrote:\r\n> Please fix it\r\n"
            f'--b\r\nContent-Type: application/zip; name="{"long" * 30}.zip"\r\n\r\nPK\r\n--b--\r\n'
        )
        record_replies([make_message(raw.encode())], now=now)
    return case


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_are_clean_for_assistive_technology_and_fit(
    enter: Any, spoken: Case, size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    for path in (f"/case/{spoken.pk}/conversation", f"/case/{spoken.pk}"):
        page.goto(path)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
