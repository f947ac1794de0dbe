import pytest

from complaints.playbooks.choosing import choose
from complaints.playbooks.documents import BadPlaybook

GENERAL = {"name": "general"}
SPAM = {"name": "spam", "for": {"category": ["spam", "bot"]}}
RELAY = {"name": "relay", "for": {"cause": ["open_relay"]}}
HOME_RELAY = {"name": "relay at home", "for": {"cause": ["open_relay"], "contract": ["residential"]}}
HOMES = {"name": "homes", "for": {"contract": ["residential"]}}
ALL = [HOMES, HOME_RELAY, RELAY, SPAM, GENERAL]


@pytest.mark.parametrize(
    ("category", "cause", "contract", "chosen"),
    [
        ("spam", "open_relay", "business", "relay"),  # the cause says more than the category
        ("spam", "open_relay", "residential", "relay at home"),
        ("bot", "unknown", "residential", "spam"),
        ("scan", "unknown", "residential", "homes"),
        ("scan", "unknown", "business", "general"),
    ],
)
def test_the_closest_playbook_is_chosen(category: str, cause: str, contract: str, chosen: str) -> None:
    for documents in (ALL, ALL[::-1]):
        assert choose(documents, category=category, cause=cause, contract=contract)["name"] == chosen


def test_of_two_as_close_the_first_by_name() -> None:
    twin = {"name": "a twin", "for": {"cause": ["open_relay"]}}

    assert choose([RELAY, twin], category="spam", cause="open_relay", contract="business") == twin


def test_a_case_that_nothing_is_meant_for_is_told() -> None:
    with pytest.raises(BadPlaybook, match="no active playbook is for scan, unknown, business"):
        choose([SPAM], category="scan", cause="unknown", contract="business")
