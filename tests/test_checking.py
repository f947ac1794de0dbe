from datetime import timedelta

import pytest
from pytest_django import Settings

from complaints import checking
from complaints.addresses import address_key
from complaints.checking import refusal
from complaints.checks import sign_probe
from complaints.models import Case, CheckRun, Complaint
from complaints.vocabulary import Answer, CheckOutcome, Verdict
from tests.factories import NOON, make_assignment, make_case, make_message, make_network

pytestmark = pytest.mark.django_db
ADDRESS = address_key("192.0.2.10")


@pytest.fixture
def case(settings: Settings) -> Case:
    settings.DNS_RESOLVERS = (("127.0.0.1", 9),)
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.10/32")
    case = make_case("C-1")
    complain(case)
    return case


def complain(case: Case, address: bytes = ADDRESS) -> None:
    Complaint.objects.create(
        message=make_message(address),
        address=address,
        seen_at=NOON,
        received_at=NOON,
        category="spam",
        format="arf",
        answer=Answer.OWNER,
        contract=case.contract,
        case=case,
    )


def queue(case: Case, check: str = "relay", address: bytes = ADDRESS, occasion: str = "investigate.1") -> CheckRun:
    return checking.queue_check(case, check, address, occasion=occasion, now=NOON)


def running(case: Case, occasion: str = "investigate.1") -> CheckRun:
    queue(case, occasion=occasion)
    return checking.claim_runs([CheckRun.objects.get(occasion=occasion).pk], now=NOON)[0]


def test_a_check_is_ordered_once_an_occasion(case: Case) -> None:
    assert queue(case) == queue(case)
    assert [event.kind for event in case.events.all()] == ["check_queued"]


def test_an_address_outside_our_networks_is_never_probed(case: Case) -> None:
    outside = address_key("203.0.113.5")
    complain(case, outside)
    run = queue(case, address=outside)
    assert (run.state, run.reason) == ("refused", "203.0.113.5 is not in our networks")


def test_an_address_assigned_to_nobody_is_never_probed(case: Case) -> None:
    free = address_key("192.0.2.77")
    complain(case, free)
    run = queue(case, address=free)
    assert (run.state, run.reason) == ("refused", "192.0.2.77 is assigned to nobody now")


def test_an_address_nobody_complained_about_is_never_probed(case: Case) -> None:
    make_assignment("C-2", "192.0.2.20/32")
    run = queue(case, address=address_key("192.0.2.20"))
    assert run.state == "refused"
    assert run.reason == "nobody complained about 192.0.2.20, and its holder has not agreed to a check"


def test_a_line_that_another_contract_holds_now_is_not_asked_about_this_one(case: Case) -> None:
    case.contract.assignments.update(valid_until=NOON - timedelta(days=1))
    make_assignment("C-2", "192.0.2.10/32", valid_from=NOON - timedelta(days=1))
    for check in ("relay", "dnsbl"):
        run = queue(case, check)
        assert (run.state, run.reason) == (
            "refused",
            "192.0.2.10 is held by another contract than C-1 now: its answer would say nothing of this case",
        )


def test_an_address_that_several_share_now_is_not_probed_for_one_of_them(case: Case) -> None:
    case.contract.assignments.update(kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("C-2", "192.0.2.10/32", kind="cgnat", port_first=2048, port_last=3071)
    assert queue(case).reason == ("192.0.2.10 is shared by 2 contracts now: a test cannot tell which of them answers")
    assert queue(case, "dnsbl").state == "queued"


def test_a_line_that_changes_hands_while_its_check_waits_is_not_tested(case: Case) -> None:
    run = running(case)
    case.contract.assignments.update(valid_until=NOON)
    assert checking.allowed([run], now=NOON) == []

    run.refresh_from_db()
    case.refresh_from_db()
    assert (run.state, run.verdict, run.reason) == ("refused", "", "192.0.2.10 is assigned to nobody now")
    assert case.due_at == NOON
    assert [event.data["refused"] for event in case.events.all()] == [None, run.reason]


@pytest.mark.parametrize("target", ["224.0.0.5", "255.255.255.255", "0.0.0.0", "169.254.1.1", "fe80::1", "ff02::1"])
def test_what_is_no_single_host_is_never_connected_to_even_in_our_networks(case: Case, target: str) -> None:
    make_network("0.0.0.0/0")
    make_network("::/0")
    make_assignment("C-1", f"{target}/{128 if ':' in target else 32}")
    complain(case, address_key(target))
    assert queue(case, address=address_key(target)).reason == (
        f"{target} is no address of a single host that can be reached from here"
    )


def test_our_own_listener_would_take_every_probe_and_is_never_asked(case: Case, settings: Settings) -> None:
    settings.SMTP_LISTEN = ("127.0.0.1", 2525)
    make_network("127.0.0.0/8")
    make_assignment("C-1", "127.0.0.1/32")
    ours = address_key("127.0.0.1")
    complain(case, ours)
    assert refusal("relay", ours, now=NOON, case=None, port=2525) == (
        "127.0.0.1 port 2525 is this machine itself: it takes mail for the probe mailbox, which proves nothing"
    )
    assert refusal("relay", ours, now=NOON, case=None, port=2526) is None


@pytest.mark.parametrize(("port", "may"), [(25, True), (465, True), (587, True), (1024, True), (22, False),
                                           (1023, False), (0, False), (-25, False), (65536, False)])  # fmt: skip
def test_a_relay_check_talks_to_ports_of_mail(case: Case, port: int, may: bool) -> None:
    assert (refusal("relay", ADDRESS, now=NOON, case=None, port=port) is None) == may


def test_without_a_probe_mailbox_nothing_can_be_proven_so_nothing_is_probed(case: Case, settings: Settings) -> None:
    settings.PROBE_DOMAIN = ""
    assert queue(case).reason.startswith("no probe mailbox: set ABUSEDESK_PROBE_DOMAIN")


def test_a_refused_run_is_a_row_that_nobody_claims(case: Case, settings: Settings) -> None:
    settings.PROBE_DOMAIN = ""
    run = queue(case)
    assert (checking.claim_runs([run.pk], now=NOON), checking.due_runs(NOON)) == ([], [])


def test_a_run_is_claimed_by_one_worker_only(case: Case) -> None:
    run = queue(case)
    assert [r.pk for r in checking.claim_runs([run.pk], now=NOON)] == [run.pk]
    assert checking.claim_runs([run.pk], now=NOON) == []


def test_the_run_of_a_dead_worker_is_claimed_again(case: Case) -> None:
    run = running(case)
    later = NOON + timedelta(minutes=16)
    assert checking.due_runs(later) == [run.pk]
    assert [r.pk for r in checking.claim_runs([run.pk], now=later)] == [run.pk]


def test_one_address_is_checked_by_one_run_at_a_time(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 0
    running(case)
    second = queue(case, occasion="by-hand.1.1")
    assert checking.claim_runs([second.pk], now=NOON) == []


def test_checks_of_one_host_keep_their_pace(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 60
    queue(case)
    assert queue(case, occasion="verify.3").due_at == NOON + timedelta(seconds=60)


def test_two_orders_at_once_keep_their_pace_too(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 60
    for occasion in ("investigate.1", "verify.3"):
        queue(case, occasion=occasion)
    assert queue(case, occasion="desk-1").due_at == NOON + timedelta(seconds=120)


def test_the_late_result_of_a_lost_claim_is_not_written(case: Case) -> None:
    run = running(case)
    checking.claim_runs([run.pk], now=NOON + timedelta(minutes=16))
    assert not checking.record_outcome(run, CheckOutcome(verdict=Verdict.CLEAN, reason="late"), now=NOON)
    assert CheckRun.objects.get().verdict == ""


def test_a_result_wakes_the_case(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, CheckOutcome(verdict=Verdict.CLEAN, reason="refused"), now=NOON)

    case.refresh_from_db()
    assert (case.due_at, [e.kind for e in case.events.all()]) == (NOON, ["check_queued", "check_done"])


def test_greylisting_is_tried_again_later_with_the_same_probe(case: Case) -> None:
    run = running(case)
    grey = CheckOutcome(verdict=Verdict.UNKNOWN, reason="greylisted", details={"retry": True})
    checking.record_outcome(run, grey, now=NOON)

    again = CheckRun.objects.get()
    assert (again.state, again.due_at, again.nonce, again.tries) == (
        "queued",
        NOON + timedelta(minutes=10),
        run.nonce,
        1,
    )


def test_greylisting_without_end_becomes_unknown(case: Case) -> None:
    grey = CheckOutcome(verdict=Verdict.UNKNOWN, reason="greylisted", details={"retry": True})
    now = NOON
    queue(case)
    for _ in range(checking.MOST_TRIES):
        now += timedelta(minutes=11)
        [run] = checking.claim_runs([CheckRun.objects.get().pk], now=now)
        checking.record_outcome(run, grey, now=now)
    assert (CheckRun.objects.get().state, CheckRun.objects.get().verdict) == ("done", "unknown")


WAITING = CheckOutcome(verdict=Verdict.UNKNOWN, reason="accepted at DATA", waiting=True)


def arrive(
    run: CheckRun, *, secret: bytes | None = None, domain: str = "probe.example", peer: str = "192.0.2.10"
) -> list[int]:
    local = sign_probe(secret or checking.probe_secret(), run.nonce, run.address_text, run.port, "plain")
    message = make_message(local.encode(), envelope_to=f"{local}@{domain}", peer=peer)
    return list(checking.record_arrivals([message], now=NOON).cases)


def test_only_the_probe_that_arrives_proves_the_relay(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    assert (CheckRun.objects.get().state, CheckRun.objects.get().verdict) == ("waiting", "")

    assert arrive(run) == [case.pk]
    done = CheckRun.objects.get()
    assert (done.state, done.verdict) == ("done", "bad")
    assert done.reason == "our test mail (form “plain”) came back through 192.0.2.10 after 0 s"


def test_a_probe_that_arrives_while_we_still_talk_counts(case: Case) -> None:
    run = running(case)
    arrive(run)
    assert CheckRun.objects.get().state == "running"

    checking.record_outcome(run, WAITING, now=NOON)
    assert CheckRun.objects.get().verdict == "bad"


@pytest.mark.parametrize(
    "said",
    [
        CheckOutcome(verdict=Verdict.CLEAN, reason="refused all 32 forms tried"),
        CheckOutcome(verdict=Verdict.UNKNOWN, reason="greylisted", details={"retry": True}),
    ],
)
def test_a_probe_that_arrived_counts_whatever_the_server_said(case: Case, said: CheckOutcome) -> None:
    run = running(case)
    arrive(run)
    checking.record_outcome(run, said, now=NOON)
    assert (CheckRun.objects.get().state, CheckRun.objects.get().verdict) == ("done", "bad")


def test_a_probe_that_arrives_between_two_tries_counts(case: Case) -> None:
    run = running(case)
    grey = CheckOutcome(verdict=Verdict.UNKNOWN, reason="greylisted", details={"retry": True})
    checking.record_outcome(run, grey, now=NOON)
    arrive(run)
    assert (CheckRun.objects.get().state, CheckRun.objects.get().verdict) == ("done", "bad")


def test_a_probe_that_never_arrives_leaves_the_verdict_unknown(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)

    assert checking.stop_waiting(now=NOON + timedelta(days=1)) == [case.pk]
    done = CheckRun.objects.get()
    assert (done.state, done.verdict, done.reason.split(":")[0]) == ("done", "unknown", "suspected")


def test_a_late_arrival_turns_unknown_to_bad(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    checking.stop_waiting(now=NOON + timedelta(days=1))
    arrive(run)
    assert CheckRun.objects.get().verdict == "bad"


def test_a_probe_through_another_host_names_both(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    arrive(run, peer="198.51.100.9:40000")
    assert "came back through 192.0.2.10" in CheckRun.objects.get().reason
    assert "delivered to us by 198.51.100.9" in CheckRun.objects.get().reason


def test_a_forged_probe_proves_nothing(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    assert arrive(run, secret=b"guessed") == []
    assert CheckRun.objects.get().state == "waiting"


def test_a_probe_to_another_domain_proves_nothing(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    assert arrive(run, domain="elsewhere.example") == []
    assert CheckRun.objects.get().state == "waiting"


@pytest.mark.parametrize(("form", "is_stray"), [("plain", False), ("return-path", False), ("no such form", True)])
def test_only_what_we_signed_is_a_probe_and_a_returned_one_proves_nothing(
    case: Case, form: str, is_stray: bool
) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    local = sign_probe(checking.probe_secret(), run.nonce, run.address_text, run.port, form)
    message = make_message(envelope_to=f"{local}@probe.example")

    arrived = checking.record_arrivals([message], now=NOON)
    assert (list(arrived.strays), list(arrived.cases)) == (
        [message] if is_stray else [],
        [case.pk] if form == "plain" else [],
    )


def test_a_probe_that_comes_through_a_pipe_counts_too(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    local = sign_probe(checking.probe_secret(), run.nonce, run.address_text, run.port, "plain")
    message = make_message(f"X-Relay-Check-Token: {local}\r\n\r\ntest".encode(), channel="pipe")
    assert list(checking.record_arrivals([message], now=NOON).cases) == [case.pk]
    assert CheckRun.objects.get().verdict == "bad"


@pytest.mark.parametrize(
    "shape", ["{0}%probe.example@probe.example", "probe.example!{0}@probe.example", '"{0}"@probe.example']
)
def test_a_probe_that_comes_back_in_the_spelling_it_was_sent_in_counts(case: Case, shape: str) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    local = sign_probe(checking.probe_secret(), run.nonce, run.address_text, run.port, "pct-host")
    message = make_message(shape.encode(), envelope_to=shape.format(local.upper()), peer="192.0.2.10")

    assert checking.record_arrivals([message], now=NOON).cases == [case.pk]
    assert CheckRun.objects.get().verdict == "bad"
