from complaints.diagnosis.combine import diagnose_case
from complaints.vocabulary import Cause, Diagnosis, Verdict


def shape(cause: Cause, confidence: float = 0.5) -> Diagnosis:
    return Diagnosis(cause=cause, confidence=confidence, reasons=(f"looks like {cause}",))


def test_a_probe_that_came_back_is_proof() -> None:
    found = diagnose_case([shape(Cause.BOT)], relay=Verdict.BAD, listing_causes=["bot"])
    assert (found.cause, found.confidence) == (Cause.OPEN_RELAY, 0.99)


def test_a_clean_relay_check_overrules_the_shape_of_a_relay() -> None:
    found = diagnose_case([shape(Cause.OPEN_RELAY)], relay=Verdict.CLEAN, listing_causes=[])
    assert (found.cause, found.confidence) == (Cause.UNKNOWN, 0.0)


def test_an_unknown_relay_check_proves_nothing() -> None:
    found = diagnose_case([shape(Cause.OPEN_RELAY)], relay=Verdict.UNKNOWN, listing_causes=[])
    assert (found.cause, found.confidence) == (Cause.OPEN_RELAY, 0.5)


def test_agreement_adds_but_shapes_alone_never_prove() -> None:
    two = diagnose_case([shape(Cause.BOT)] * 2, relay=None, listing_causes=[])
    fifty = diagnose_case([shape(Cause.BOT)] * 50, relay=None, listing_causes=[])
    assert (two.confidence, fifty.confidence) == (0.55, 0.7)


def test_a_bot_list_makes_a_bot() -> None:
    found = diagnose_case([], relay=None, listing_causes=["policy", "bot"])
    assert (found.cause, found.confidence) == (Cause.BOT, 0.85)


def test_policy_lists_say_nothing() -> None:
    assert diagnose_case([], relay=None, listing_causes=["policy", "network"]).cause is Cause.UNKNOWN
