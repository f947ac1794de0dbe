import json
from io import StringIO

import pytest
from django.core.management import call_command

from complaints import pipeline
from complaints.models import Case, Complaint, Reading
from complaints.pipeline import process_messages
from complaints.vocabulary import Disposition, ParsedMessage
from tests.factories import NOON, make_assignment, make_message, make_network
from tests.test_pipeline import arf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _line() -> None:
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.10/32")


def reparse(*ids: int) -> dict[str, int]:
    out = StringIO()
    call_command("reparse", *ids, stdout=out)
    return json.loads(out.getvalue())


def park(monkeypatch: pytest.MonkeyPatch, *raws: bytes) -> list[int]:
    """Messages that a format of yesterday could not read."""
    unreadable = ParsedMessage(format=None, disposition=Disposition.UNREADABLE, problem="the old format failed")
    ids = [make_message(raw).pk for raw in raws]
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "read_message", lambda *_args, **_options: unreadable)
        process_messages(ids, now=NOON)
    return ids


def test_parked_messages_are_read_again_after_a_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    park(monkeypatch, arf(1), arf(2))
    assert reparse() == {"messages": 2, "read": 2, "unread": 0, "complaints": 2, "cases_opened": 1}
    assert Case.objects.get().complaint_count == 2


def test_what_is_still_unreadable_stays_on_the_list() -> None:
    broken = make_message(b"\0\0\0")
    process_messages([broken.pk], now=NOON)
    assert reparse() == {"messages": 1, "read": 0, "unread": 1, "complaints": 0, "cases_opened": 0}
    assert Reading.objects.get().state == "unread"


def test_only_the_named_ones_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = park(monkeypatch, arf(1), arf(2))
    assert reparse(second)["messages"] == 1
    assert dict(Reading.objects.values_list("pk", "state")) == {first: "unread", second: "read"}


def test_a_message_that_was_read_is_left_alone() -> None:
    message = make_message(arf())
    process_messages([message.pk], now=NOON)
    assert reparse(message.pk)["messages"] == 0
    assert Complaint.objects.count() == 1


def test_reading_twice_makes_nothing_twice() -> None:
    message = make_message(arf())
    process_messages([message.pk], now=NOON)
    Reading.objects.update(state="unread")  # as after a fault that came behind the filing
    assert reparse()["complaints"] == 0
    assert Case.objects.get().complaint_count == 1
