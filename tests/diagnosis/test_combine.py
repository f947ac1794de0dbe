"""The cause of a case from complaints, checks and blacklists together: proofs, contradictions, agreement."""

from __future__ import annotations

import pytest

from complaints.diagnosis import Sighting, diagnose_case
from complaints.diagnosis.clues import MEANINGS, OWN, POSSIBLE, Clue
from complaints.vocabulary import Category, Cause, Verdict

BOT = ("direct", "home_line", "made_up_helo")
RELAY = ("relayed",)
STOLEN = ("logged_in",)
BULK = ("list_field", "own_signature")
FORWARDED = ("relayed", "sent_on")
FORGED = ("unproven_line",)


def seen(*names: str, category: Category = Category.SPAM, **changes) -> Sighting:
    return Sighting(category, tuple(Clue(name) for name in names), **changes)


def cause_of(*sightings: Sighting, relay: Verdict | None = None, lists: tuple[str, ...] = ()) -> Cause:
    return diagnose_case(sightings, relay=relay, listing_causes=lists).cause


def test_a_probe_that_came_back_is_proof() -> None:
    found = diagnose_case([seen(*BOT)], relay=Verdict.BAD, listing_causes=["bot"])
    assert (found.cause, found.confidence) == (Cause.OPEN_RELAY, 0.99)


def test_a_clean_relay_check_overrules_the_shape_of_a_relay() -> None:
    found = diagnose_case([seen(*RELAY)], relay=Verdict.CLEAN, listing_causes=[])
    assert (found.cause, found.confidence) == (Cause.UNKNOWN, 0.0)
    assert "Our relay check was refused everywhere" in found.reasons


def test_an_unknown_relay_check_proves_nothing() -> None:
    unknown, none = (diagnose_case([seen(*RELAY)], relay=r, listing_causes=[]) for r in (Verdict.UNKNOWN, None))
    assert unknown == none
    assert unknown.cause is Cause.OPEN_RELAY


def test_agreement_adds_but_shapes_alone_never_prove() -> None:
    said = [
        diagnose_case([seen(*STOLEN, reporter=str(n)) for n in range(count)], relay=None, listing_causes=[]).confidence
        for count in (1, 2, 50)
    ]
    assert said == [0.62, 0.74, 0.75]


def test_one_reporter_who_repeats_himself_adds_less_than_a_second_one() -> None:
    same = diagnose_case([seen(*STOLEN, reporter="anna")] * 2, relay=None, listing_causes=[])
    two = diagnose_case([seen(*STOLEN, reporter=r) for r in ("anna", "ben")], relay=None, listing_causes=[])
    assert same.confidence < two.confidence


def test_a_bot_list_makes_a_bot() -> None:
    found = diagnose_case([], relay=None, listing_causes=["policy", "bot"])
    assert (found.cause, found.confidence) == (Cause.BOT, 0.9)


def test_policy_lists_say_nothing() -> None:
    assert diagnose_case([], relay=None, listing_causes=["policy", "network"]).cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("shape", "cause"),
    [
        (BOT, Cause.BOT),
        (RELAY, Cause.OPEN_RELAY),
        (STOLEN, Cause.STOLEN_MAILBOX),
        (("script_field",), Cause.WEB_SCRIPT),
        (("script_user", "own_sender"), Cause.WEB_SCRIPT),
        (BULK, Cause.BULK_MAIL),
        (("logged_in", *BULK, "own_sender"), Cause.BULK_MAIL),  # their own mailing program logs in, too
        (("script_field", "list_field", "own_signature", "own_sender", "verp"), Cause.BULK_MAIL),
        (FORWARDED, Cause.FORWARDED),
        (FORGED, Cause.FORGED),
        (("direct", "home_line", "probe"), Cause.OPEN_RELAY),
        ((), Cause.UNKNOWN),
    ],
)
def test_clues_of_one_mail_together(shape: tuple[str, ...], cause: Cause) -> None:
    assert cause_of(seen(*shape)) is cause


@pytest.mark.parametrize(
    ("sightings", "relay", "lists", "cause"),
    [
        ([seen(*STOLEN)], None, ("bot",), Cause.BOT),  # CBL lists what is infected, often behind the mail server
        ([seen(*STOLEN, reporter=r) for r in "abc"], Verdict.CLEAN, ("spam-source",), Cause.STOLEN_MAILBOX),
        ([seen(*FORGED)], None, ("bot",), Cause.BOT),
        ([seen(*FORGED)], None, ("policy",), Cause.FORGED),
        ([seen(*FORWARDED)], Verdict.CLEAN, (), Cause.FORWARDED),
        ([*[seen(*BOT)] * 9, seen(*RELAY)], None, (), Cause.BOT),
        ([seen(*RELAY, reporter=r) for r in "abcd"], Verdict.CLEAN, ("relay",), Cause.OPEN_RELAY),
        ([seen("attack_seen", category=Category.LOGIN_ATTACK)], None, (), Cause.ATTACK),
        ([seen("attack_seen", category=Category.LOGIN_ATTACK)], None, ("bot",), Cause.BOT),
        ([seen("open_service", category=Category.VULNERABLE)], None, ("bot",), Cause.VULNERABLE_SERVICE),
        ([seen("work_claimed", category=Category.COPYRIGHT)], None, ("bot", "relay"), Cause.COPYRIGHT),
    ],
)
def test_evidence_that_contradicts_is_weighed(sightings, relay, lists, cause) -> None:
    assert cause_of(*sightings, relay=relay, lists=lists) is cause


def test_what_contradicts_lowers_the_confidence_and_is_told() -> None:
    alone = diagnose_case([seen(*STOLEN)], relay=None, listing_causes=[])
    doubted = diagnose_case([seen(*STOLEN), seen(*BOT)], relay=None, listing_causes=[])
    assert doubted.confidence < alone.confidence
    against = diagnose_case([seen(*RELAY, reporter=r) for r in "abcd"], relay=Verdict.CLEAN, listing_causes=["relay"])
    assert "Against it: our relay check was refused everywhere" in against.reasons


def test_a_second_cause_that_may_be_is_told() -> None:
    found = diagnose_case([seen(*STOLEN)], relay=None, listing_causes=["bot"])
    assert found.reasons[-1].startswith("It may be stolen mailbox as well (")


def test_ever_new_names_are_a_bots() -> None:
    mails = [seen("direct", "made_up_helo", helo=f"pc{n}", sender=f"s{n}.example", reporter=str(n)) for n in range(5)]
    found = diagnose_case(mails, relay=None, listing_causes=[])
    assert found.cause is Cause.BOT
    assert "It called itself by 5 names in 5 mails" in found.reasons


def test_ever_new_senders_are_no_newsletter() -> None:
    same = [seen("list_field", sender="shop.example", reporter=str(n)) for n in range(5)]
    many = [seen("list_field", sender=f"s{n}.example", reporter=str(n)) for n in range(5)]
    assert (cause_of(*same), cause_of(*many)) == (Cause.BULK_MAIL, Cause.UNKNOWN)


def test_the_reasons_count_those_who_say_so() -> None:
    found = diagnose_case([seen(*STOLEN, reporter="anna"), seen(*STOLEN, reporter="ben"), seen()], relay=None,
                          listing_causes=[])  # fmt: skip
    assert found.reasons[0] == (
        "The accused server took the mail from somebody who had logged in (2 of 2 complaints; 2 reporters)"
    )


def test_every_cause_can_be_found_by_some_clue_and_every_clue_means_something() -> None:
    meant = {cause for meaning in MEANINGS.values() for cause, weight in meaning.weights.items() if weight > 0}
    assert meant == set(Cause) - {Cause.UNKNOWN} == {cause for causes in POSSIBLE.values() for cause in causes}
    assert MEANINGS.keys() >= OWN
