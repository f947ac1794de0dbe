"""The verb against a real database; the rules themselves are tested by the table in test_decision.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from complaints.addresses import address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.lookup import with_last_holder
from complaints.models import Contract, Network, PrefixLength
from complaints.vocabulary import Answer
from tests.factories import LONG_AGO, NOON, make_assignment, make_contract, make_network, overlaps_allowed

pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def whose(
    address: str,
    at: datetime = NOON,
    port: int | None = None,
    *,
    at_exactly: bool = True,
    slack: timedelta = timedelta(0),
) -> Holding:
    return attribute([Question(address_key(address), port, at, at_exactly, slack)])[0]


def holder(address: str, at: datetime = NOON, port: int | None = None) -> str:
    """The contract's reference, or the answer where there is none."""
    holding = whose(address, at, port)
    if holding.contract_id is None:
        return str(holding.answer)
    return Contract.objects.get(pk=holding.contract_id).reference


def test_a_static_line_has_its_owner_with_interval_and_reason():
    make_network("192.0.2.0/24")
    contract = make_assignment("C-1", "192.0.2.8/29", valid_until=NOON + DAY).contract

    assert whose("192.0.2.9") == Holding(
        Answer.OWNER,
        contract_id=contract.pk,
        method="static",
        confidence=0.95,
        valid_from=LONG_AGO,
        valid_until=NOON + DAY,
        reason="192.0.2.8/29 was assigned (static) from 2020-01-01 00:00:00 UTC until 2026-03-11 12:00:00 UTC",
    )


def test_first_and_last_address_belong_to_the_prefix_and_their_neighbours_do_not():
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.8/29")

    assert [holder(f"192.0.2.{n}") for n in (7, 8, 15, 16)] == ["nobody", "C-1", "C-1", "nobody"]


def test_first_and_last_address_of_an_ipv6_delegation():
    make_network("2001:db8::/32")
    make_assignment("C-1", "2001:db8:0:100::/56")

    addresses = ("2001:db8:0:ff:ffff:ffff:ffff:ffff", "2001:db8:0:100::", "2001:db8:0:1ff:ffff:ffff:ffff:ffff")
    assert [holder(a) for a in (*addresses, "2001:db8:0:200::")] == ["nobody", "C-1", "C-1", "nobody"]


def test_it_holds_from_its_first_second_until_before_its_last():
    make_network()
    make_assignment("C-1", valid_from=NOON, valid_until=NOON + HOUR)

    times = (NOON - SECOND, NOON, NOON + HOUR - SECOND, NOON + HOUR)
    assert [holder("192.0.2.10", at) for at in times] == ["nobody", "C-1", "C-1", "nobody"]


def test_times_are_compared_finer_than_a_second():
    make_network()
    make_assignment("C-1", valid_from=NOON, valid_until=NOON + timedelta(milliseconds=500))
    make_assignment("C-2", valid_from=NOON + timedelta(milliseconds=500))

    assert holder("192.0.2.10", NOON + timedelta(milliseconds=499)) == "C-1"
    assert holder("192.0.2.10", NOON + timedelta(milliseconds=500)) == "C-2"


def test_the_ports_of_a_shared_address_decide_at_their_edges():
    make_network("203.0.113.0/24")
    make_assignment("anna", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("bruno", "203.0.113.7/32", kind="cgnat", port_first=2048, port_last=3071)

    ports = (1023, 1024, 2047, 2048, 3071, 3072)
    expected = ["nobody", "anna", "anna", "bruno", "bruno", "nobody"]
    assert [holder("203.0.113.7", port=port) for port in ports] == expected


def test_a_shared_address_without_the_port_names_its_candidates():
    make_network("203.0.113.0/24")
    bruno = make_assignment("bruno", "203.0.113.7/32", kind="cgnat", port_first=2048, port_last=3071)
    anna = make_assignment("anna", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)

    assert whose("203.0.113.7") == Holding(
        Answer.UNSURE,
        candidates=("anna", "bruno"),
        candidate_ids=(anna.contract_id, bruno.contract_id),
        reason="203.0.113.7/32 was shared by 2 contracts at 2026-03-10 12:00:00 UTC,"
        " and the report gives no source port",
    )


def test_port_0_is_no_port():
    make_network("203.0.113.0/24")
    make_assignment("anna", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)

    assert whose("203.0.113.7", port=0) == whose("203.0.113.7", port=None)


def test_a_shared_address_does_not_fall_back_to_the_block_around_it():
    make_network("203.0.113.0/24")
    make_assignment("provider", "203.0.113.0/24")
    make_assignment("anna", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)

    assert whose("203.0.113.7", port=5000) == Holding(
        Answer.NOBODY, reason="Ours and shared by ports, but nobody had port 5000 at 2026-03-10 12:00:00 UTC"
    )


def test_the_most_specific_prefix_wins_while_it_holds():
    make_network("192.0.2.0/24")
    make_assignment("provider", "192.0.2.0/24")
    make_assignment("customer", "192.0.2.8/29", valid_from=NOON, valid_until=NOON + DAY)
    make_assignment("one-line", "192.0.2.9/32", valid_from=NOON + HOUR, valid_until=NOON + 2 * HOUR)

    times = (NOON - SECOND, NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + DAY)
    expected = ["provider", "customer", "one-line", "customer", "provider"]
    assert [holder("192.0.2.9", at) for at in times] == expected


def test_in_a_gap_the_answer_is_nobody_and_a_person_is_told_the_last_holder():
    make_network()
    make_assignment("C-0", valid_until=NOON - 2 * DAY)
    make_assignment("C-1", valid_from=NOON - DAY, valid_until=NOON - HOUR)
    make_assignment("C-2", valid_from=NOON + HOUR)
    question = Question(address_key("192.0.2.10"), None, NOON)

    holding = attribute([question])[0]

    assert holding == Holding(Answer.NOBODY, reason="Ours, but nobody had it at 2026-03-10 12:00:00 UTC")
    assert with_last_holder(question, holding) == Holding(
        Answer.NOBODY,
        reason="Ours, but nobody had it at 2026-03-10 12:00:00 UTC; last held by C-1 until 2026-03-10 11:00:00 UTC",
    )


def test_the_last_holder_of_a_shared_address_is_that_of_the_port():
    make_network()
    make_assignment("anna", valid_until=NOON - DAY, port_first=1024, port_last=2047)
    make_assignment("bruno", valid_until=NOON - HOUR, port_first=2048, port_last=3071)

    def last(port: int) -> str:
        question = Question(address_key("192.0.2.10"), port, NOON)
        return with_last_holder(question, attribute([question])[0]).reason.partition("; ")[2]

    assert [last(port)[:18] for port in (2047, 2048, 5000)] == ["last held by anna ", "last held by bruno", ""]


def test_an_address_that_nobody_ever_had_is_nobodys():
    make_network()

    assert whose("192.0.2.10").reason == "Ours, but nobody had it at 2026-03-10 12:00:00 UTC"


def test_outside_every_network_it_is_not_ours_whatever_is_assigned():
    make_network("192.0.2.0/25")
    make_assignment("C-1", "192.0.2.0/24")

    assert [holder(f"192.0.2.{n}") for n in (127, 128)] == ["C-1", "not-ours"]
    assert whose("192.0.2.128") == Holding(Answer.NOT_OURS, reason="192.0.2.128 is inside none of our networks")


def test_without_any_network_nothing_is_ours():
    make_assignment("C-1")

    assert holder("192.0.2.10") == "not-ours"


def test_ipv4_networks_say_nothing_about_ipv6_and_the_other_way_round():
    make_network("0.0.0.0/0")
    make_assignment("four", "0.0.0.0/0")
    assert [holder("192.0.2.1"), holder("2001:db8::1"), holder("::1")] == ["four", "not-ours", "not-ours"]

    Network.objects.all().delete()
    make_network("::/0")
    make_assignment("six", "::/0")
    assert [holder("192.0.2.1"), holder("2001:db8::1"), holder("::1")] == ["not-ours", "six", "six"]


def test_lengths_0_and_32_and_128_are_prefixes_like_others():
    make_network("0.0.0.0/0")
    make_network("::/0")
    for contract, prefix in (("all4", "0.0.0.0/0"), ("one4", "192.0.2.255/32"), ("all6", "::/0")):
        make_assignment(contract, prefix)
    make_assignment("one6", "2001:db8::ffff/128")

    addresses = ("0.0.0.0", "255.255.255.255", "192.0.2.255", "::", "2001:db8::ffff")
    assert [holder(address) for address in addresses] == ["all4", "all4", "one4", "all6", "one6"]


def test_an_ipv4_address_written_as_ipv6_is_the_same_address():
    make_network()
    make_assignment("C-1", "192.0.2.10/32")

    assert holder("::ffff:192.0.2.10") == "C-1"


def test_two_contracts_at_once_are_unsure_and_both_named():
    make_network()
    with overlaps_allowed():
        second = make_assignment("C-2")
        first = make_assignment("C-1", valid_from=NOON - HOUR)

    assert whose("192.0.2.10") == Holding(
        Answer.UNSURE,
        candidates=("C-1", "C-2"),
        candidate_ids=(first.contract_id, second.contract_id),
        reason="Our data is wrong: 192.0.2.10/32 is assigned to C-1 and C-2 at once at 2026-03-10 12:00:00 UTC",
    )
    assert whose("192.0.2.10", port=25).reason == (
        "Our data is wrong: 192.0.2.10/32, port 25, is assigned to C-1 and C-2 at once at 2026-03-10 12:00:00 UTC"
    )


@pytest.mark.parametrize(("held", "confidence"), [(timedelta(days=29), 0.7125), (timedelta(days=30), 0.855)])
def test_an_unknown_time_lowers_the_confidence_less_where_the_holder_is_an_old_one(held, confidence):
    make_network()
    make_assignment("C-1", valid_from=NOON - held)

    assert whose("192.0.2.10", at_exactly=False).confidence == confidence


def test_an_unknown_time_lowers_the_confidence():
    make_network()
    make_assignment("C-1")

    holding = whose("192.0.2.10", at_exactly=False)

    assert (holding.answer, holding.confidence) == (Answer.OWNER, 0.855)
    assert holding.reason == (
        "192.0.2.10/32 was assigned (static) from 2020-01-01 00:00:00 UTC and still is."
        " The report gives no time: nobody else held it in the 48 hours before it came"
    )


def test_an_unknown_time_is_unsure_when_the_holder_changed_within_48_hours():
    make_network()
    first = make_assignment("C-1", kind="lease", valid_until=NOON)
    second = make_assignment("C-2", kind="lease", valid_from=NOON)

    assert whose("192.0.2.10", NOON + 48 * HOUR - SECOND, at_exactly=False) == Holding(
        Answer.UNSURE,
        candidates=("C-1", "C-2"),
        candidate_ids=(first.contract_id, second.contract_id),
        reason="The report gives no time, and in the 48 hours before 2026-03-12 11:59:59 UTC the holder changed:"
        " it could be C-1 or C-2",
    )
    assert whose("192.0.2.10", NOON + 48 * HOUR, at_exactly=False).answer is Answer.OWNER


def test_within_the_slack_of_a_change_both_holders_are_named():
    make_network()
    first = make_assignment("C-1", kind="lease", valid_until=NOON)
    second = make_assignment("C-2", kind="lease", valid_from=NOON)
    minutes = timedelta(minutes=5)

    assert whose("192.0.2.10", NOON + minutes - SECOND, slack=minutes) == Holding(
        Answer.UNSURE,
        candidates=("C-1", "C-2"),
        candidate_ids=(first.contract_id, second.contract_id),
        reason="The time may be off by 5 minutes, and within that around 2026-03-10 12:04:59 UTC the holder changed:"
        " it could be C-1 or C-2",
    )
    assert whose("192.0.2.10", NOON + minutes, slack=minutes).contract_id == second.contract_id
    assert whose("192.0.2.10", NOON - minutes, slack=minutes).answer is Answer.UNSURE
    assert whose("192.0.2.10", NOON - minutes - SECOND, slack=minutes).contract_id == first.contract_id


def test_in_a_gap_who_held_it_within_the_slack_is_named_but_not_accused():
    make_network()
    contract = make_assignment("C-1", valid_until=NOON - SECOND).contract

    assert whose("192.0.2.10", slack=timedelta(minutes=1)) == Holding(
        Answer.UNSURE,
        candidates=("C-1",),
        candidate_ids=(contract.pk,),
        reason="The time may be off by 1 minute, and within that around 2026-03-10 12:00:00 UTC it was C-1,"
        " but nobody at that time itself",
    )


def test_a_block_given_to_another_within_a_providers_block_is_doubtful_near_its_beginning_only():
    make_network("192.0.2.0/24")
    make_assignment("provider", "192.0.2.0/24")
    make_assignment("customer", "192.0.2.8/29", valid_from=NOON)
    slack = timedelta(hours=1)

    holdings = [whose("192.0.2.9", NOON + hours * HOUR, slack=slack) for hours in (-2, -1, 0, 1, 2)]
    assert [h.candidates or h.answer for h in holdings] == [
        "owner",
        ("customer", "provider"),
        ("customer", "provider"),
        "owner",
        "owner",
    ]
    assert whose("192.0.2.7", slack=slack).answer is Answer.OWNER


def test_a_time_that_may_be_hours_off_lowers_the_confidence_a_little_and_is_said():
    make_network()
    make_assignment("C-1")

    holding = whose("192.0.2.10", slack=14 * HOUR)

    assert (holding.answer, holding.confidence) == (Answer.OWNER, 0.855)
    assert holding.reason.endswith("The time may be off by 14 hours: nobody else held it so near to it")
    assert whose("192.0.2.10", slack=HOUR) == whose("192.0.2.10")


def test_many_candidates_are_counted_in_the_sentence_and_all_listed_beside_it():
    make_network()
    references = [f"C-{n}" for n in range(1, 8)]
    for n, reference in enumerate(references):
        make_assignment(reference, valid_from=NOON + n * SECOND, valid_until=NOON + (n + 1) * SECOND)

    holding = whose("192.0.2.10", slack=HOUR)

    assert holding.candidates == tuple(references)
    assert holding.reason.endswith("the holder changed: it could be C-1, C-2, C-3, C-4 or 3 others")


def test_the_one_holder_known_of_a_shared_address_is_not_guessed_without_the_port():
    make_network("203.0.113.0/24")
    anna = make_assignment("anna", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047).contract

    assert whose("203.0.113.7") == Holding(
        Answer.UNSURE,
        candidates=("anna",),
        candidate_ids=(anna.pk,),
        reason="203.0.113.7/32 is shared by ports, and the report gives no source port: anna had some of them"
        " at 2026-03-10 12:00:00 UTC, whose the others were is not known",
    )


def test_a_question_without_an_address_is_unsure():
    assert attribute([Question(b"", None, NOON)]) == [
        Holding(Answer.UNSURE, reason="No address is named, so there is nothing to look up")
    ]


def test_answers_come_in_the_order_of_the_questions_and_repeats_are_answered_too():
    make_network()
    first, second = make_assignment("C-1", "192.0.2.1/32"), make_assignment("C-2", "192.0.2.2/32")
    addresses = ["192.0.2.2", "198.51.100.1", "192.0.2.1", "192.0.2.2"]

    holdings = attribute([Question(address_key(a), None, NOON) for a in addresses])

    assert [h.contract_id for h in holdings] == [second.contract_id, None, first.contract_id, second.contract_id]


def test_no_questions_have_no_answers():
    assert attribute([]) == []


def test_a_new_prefix_length_is_seen_at_once():
    make_network()
    make_assignment("provider", "192.0.2.0/24")
    assert holder("192.0.2.10") == "provider"

    make_assignment("customer", "192.0.2.8/30")

    assert holder("192.0.2.10") == "customer"
    assert PrefixLength.objects.count() == 2


def test_the_candidates_of_a_whole_batch_are_named_by_one_query(django_assert_num_queries):
    """The look-up itself goes below what is counted here."""
    make_network()
    contract = make_contract("C-1")
    for n in range(100):
        make_assignment(contract, f"192.0.2.{n}/32", port_last=2047)
    make_assignment("C-2", "192.0.2.99/32", port_first=2048)
    questions = [Question(address_key(f"192.0.2.{n % 105}"), None, NOON + n * SECOND) for n in range(500)]
    attribute(questions)

    with django_assert_num_queries(1):
        holdings = attribute(questions)

    assert [len(holding.candidates) for holding in holdings[98:101]] == [1, 2, 0]


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="a question needs a time with its zone"):
        Question(address_key("192.0.2.1"), None, datetime(2026, 3, 10, 12))


def test_times_in_other_zones_are_told_in_utc():
    make_network()
    berlin = datetime.fromisoformat("2026-03-10T13:00:00+01:00")

    assert berlin == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert whose("192.0.2.10", berlin).reason == "Ours, but nobody had it at 2026-03-10 12:00:00 UTC"
