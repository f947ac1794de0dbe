from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from complaints import checking
from complaints.addresses import address_key
from complaints.checking import refusal
from complaints.checking.outcomes import retry_after
from complaints.checks import RETURN_PATH, sign_probe
from complaints.demo.simulation.clock import VirtualClock
from complaints.models import Case, CheckOptOut, CheckRun, Complaint, Message, ProbeArrival
from complaints.vocabulary import Answer, CheckOutcome, Verdict
from tests.attribution.leases.test_feeds import know, load, record
from tests.factories import NOON, make_assignment, make_case, make_message, make_network, make_shared_machine

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


def test_an_address_whose_holder_cannot_be_told_is_never_probed(settings: Settings) -> None:
    make_network("192.0.2.0/24")
    make_shared_machine("192.0.2.25/32", "mail")
    settings.RESOLVER_URL, settings.RESOLVER_KEY, settings.RESOLVER_TIMEOUT = "http://127.0.0.1:9/", "k" * 16, 1

    for address in ("192.0.2.25", "192.0.2.77"):  # nobody's alone; and the source that may know is away
        rule = refusal("relay", address_key(address), now=NOON, case=None, consent=True)
        assert rule == f"whose {address} is cannot be told now"


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
    refused = queue(case, "dnsbl")  # a list that names it may mean any of them
    assert refused.reason == "192.0.2.10 is shared by 2 contracts now: its answer would say nothing of this case"
    assert checking.is_not_theirs_alone(refused.reason)


def test_an_address_of_which_one_is_the_last_that_was_told_is_looked_up_and_not_probed(case: Case) -> None:
    case.contract.assignments.all().delete()
    know("radius_user", "anna@isp.example", "C-1")
    clock = VirtualClock(NOON - timedelta(minutes=30))
    with clock.ruling():
        load("radius", record("Start", -40))
        clock.go_to(NOON)
        assert queue(case).reason == "whose 192.0.2.10 is cannot be told for certain now"
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


@pytest.mark.parametrize("prefix", ["192.0.2.10/32", "192.0.2.0/24"])
def test_who_asked_to_be_left_out_is_not_tested_and_the_refusal_says_so(case: Case, prefix: str) -> None:
    row = CheckOptOut(note="asked by phone")
    row.prefix = prefix
    row.save()
    run = queue(case)
    since = f"{row.created_at:%Y-%m-%d}"
    assert (run.state, run.reason) == (
        "refused",
        f"192.0.2.10 is left out of tests since {since}, by its holder's wish (asked by phone)",
    )
    assert queue(case, "dnsbl").state == "queued"


def test_who_asks_to_be_left_out_while_a_check_waits_is_not_tested(case: Case) -> None:
    run = running(case)
    row = CheckOptOut()
    row.prefix = "192.0.2.10/32"
    row.save()
    assert checking.allowed([run], now=NOON) == []


def test_our_own_mx_is_never_tested(case: Case, settings: Settings) -> None:
    settings.PROBE_HOSTS = ("192.0.2.10",)
    assert queue(case).reason == (
        "192.0.2.10 is one of ABUSEDESK_PROBE_HOSTS: it takes mail for the probe mailbox, which proves nothing"
    )


def test_one_address_is_not_tested_without_end(case: Case, settings: Settings) -> None:
    settings.RELAY_PER_DAY = 2
    runs = [queue(case, occasion=f"desk-{number}") for number in range(3)]
    assert [run.state for run in runs] == ["queued", "queued", "refused"]
    assert runs[2].reason == ("192.0.2.10 was tested 2 times within 24 hours: ABUSEDESK_RELAY_PER_DAY allows no more")


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


def test_checks_of_one_contract_keep_a_third_of_the_pace(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 60
    elsewhere = address_key("198.51.100.1")
    make_network("198.51.100.0/24")
    make_assignment("C-1", "198.51.100.1/32")
    complain(case, elsewhere)
    queue(case)
    assert queue(case, address=elsewhere).due_at == NOON + timedelta(seconds=20)


def test_checks_of_one_neighbourhood_keep_a_twelfth_of_the_pace(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 60
    make_assignment("C-2", "192.0.2.20/32")
    neighbour = make_case("C-2", address="192.0.2.20")
    complain(neighbour, address_key("192.0.2.20"))
    queue(case)
    assert queue(neighbour, address=address_key("192.0.2.20")).due_at == NOON + timedelta(seconds=5)


def test_a_run_that_waits_for_another_try_does_not_hold_its_neighbours_up(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 60
    queue(case)
    CheckRun.objects.update(tries=1, started_at=NOON, due_at=NOON + timedelta(minutes=10))
    assert queue(case, occasion="desk-1").due_at == NOON + timedelta(seconds=60)


def test_runs_of_two_workers_that_ask_the_same_address_are_claimed_apart(case: Case, settings: Settings) -> None:
    settings.RELAY_PACE = 0
    runs = [queue(case, occasion=f"desk-{number}") for number in range(3)]
    dns = queue(case, "dnsbl")
    claimed = checking.claim_runs([run.pk for run in [*runs, dns]], now=NOON)
    assert sorted(run.check_name for run in claimed) == ["dnsbl", "relay"]


def test_slow_and_quick_checks_have_queues_of_their_own(case: Case) -> None:
    relay, dnsbl = queue(case), queue(case, "dnsbl")
    assert checking.by_queue([relay.pk, dnsbl.pk]) == {"smtp": [relay.pk], "dns": [dnsbl.pk]}
    assert checking.due_runs(NOON, queues={"dns"}) == [dnsbl.pk]


def test_outcomes_of_a_batch_are_written_together_each_with_its_history_and_wake_up(case: Case) -> None:
    clean = CheckOutcome(verdict=Verdict.CLEAN, reason="refused", details={"forms": []})
    queue(case), queue(case, "dnsbl")
    runs = checking.claim_runs(CheckRun.objects.values_list("pk", flat=True), now=NOON)
    later = NOON + timedelta(minutes=1)
    assert checking.record_outcomes([(run, clean) for run in runs], now=later) == [case.pk]

    case.refresh_from_db()
    assert {(r.state, r.verdict, r.reason, r.due_at) for r in CheckRun.objects.all()} == {
        ("done", "clean", "refused", None)
    }
    assert case.due_at == later
    assert [event.data["verdict"] for event in case.events.filter(kind="check_done")] == ["clean", "clean"]


def test_in_a_batch_the_run_that_another_worker_took_over_is_left_to_it(case: Case) -> None:
    clean = CheckOutcome(verdict=Verdict.CLEAN, reason="refused")
    queue(case), queue(case, "dnsbl")
    runs = checking.claim_runs(CheckRun.objects.values_list("pk", flat=True), now=NOON)
    CheckRun.objects.filter(check_name="relay").update(claim="another")
    checking.record_outcomes([(run, clean) for run in runs], now=NOON)
    assert sorted(CheckRun.objects.values_list("check_name", "state")) == [("dnsbl", "done"), ("relay", "running")]


def test_in_a_batch_a_probe_that_arrived_counts_whatever_the_server_said(case: Case) -> None:
    run = running(case)
    arrive(run)
    assert checking.record_outcomes([(run, CheckOutcome(verdict=Verdict.CLEAN, reason="refused"))], now=NOON) == [
        case.pk
    ]
    assert CheckRun.objects.get().verdict == "bad"


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
    assert (again.state, again.nonce, again.tries) == ("queued", run.nonce, 1)
    assert again.due_at is not None
    assert timedelta(minutes=8) <= again.due_at - NOON <= timedelta(minutes=12)


def test_each_try_waits_twice_as_long_as_the_one_before_and_never_just_as_long_as_the_neighbours() -> None:
    waits = [[retry_after(tries) for _ in range(50)] for tries in range(3)]
    assert [
        (min(w) >= timedelta(minutes=8 * 2**n), max(w) <= timedelta(minutes=12 * 2**n)) for n, w in enumerate(waits)
    ] == [(True, True)] * 3
    assert len(set(waits[0])) > 40


def test_greylisting_without_end_becomes_unknown(case: Case) -> None:
    grey = CheckOutcome(verdict=Verdict.UNKNOWN, reason="greylisted", details={"retry": True})
    now = NOON
    queue(case)
    for _ in range(checking.MOST_TRIES):
        now += timedelta(minutes=30)
        [run] = checking.claim_runs([CheckRun.objects.get().pk], now=now)
        checking.record_outcome(run, grey, now=now)
    assert (CheckRun.objects.get().state, CheckRun.objects.get().verdict) == ("done", "unknown")


WAITING = CheckOutcome(verdict=Verdict.UNKNOWN, reason="accepted at DATA", waiting=True)


def arrive(
    run: CheckRun, *, secret: bytes | None = None, domain: str = "probe.example", peer: str = "192.0.2.10"
) -> list[int]:
    return list(checking.record_arrivals([probe(run, secret=secret, domain=domain, peer=peer)], now=NOON).cases)


def probe(
    run: CheckRun,
    *,
    secret: bytes | None = None,
    domain: str = "probe.example",
    port: int = 0,
    form: str = "plain",
    received: str = "",
    content: str = "X-Relay-Check-Token: {}",
    **columns: Any,
) -> Message:
    """A test mail of `run` as our listener got it. content: its other header fields, with {} for the token."""
    local = sign_probe(secret or checking.probe_secret(), run.nonce, run.address_text, port or run.port, form)
    raw = f"{received}{content.format(local)}\r\n\r\ntest"
    return make_message(raw.encode(), **{"envelope_to": f"{local}@{domain}", "channel": "smtp", **columns})


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
    assert CheckRun.objects.get().reason == (
        "192.0.2.10 relays through 198.51.100.9: our test mail (form “plain”) came back after 0 s"
    )


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


def test_mail_to_a_recipient_that_we_never_signed_is_shown_to_a_person(case: Case) -> None:
    run = running(case)
    stray = probe(run, form="no such form")
    arrived = checking.record_arrivals([stray], now=NOON)
    assert (list(arrived.strays), list(arrived.cases)) == ([stray], [])


def test_strangers_mail_to_the_recipient_of_a_probe_is_no_probe(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    spam = probe(run, content="Subject: cheap watches\r\nX-Note: {}")
    assert checking.record_arrivals([spam], now=NOON).strays == [spam]
    assert CheckRun.objects.get().state == "waiting"


def test_the_way_of_the_returning_mail_is_kept(case: Case) -> None:
    run = running(case)
    way = "Received: from a.example ([192.0.2.10])\r\n by b.example; Tue, 10 Mar 2026 12:00:01 +0000\r\n"
    checking.record_arrivals([probe(run, received=way * 2)], now=NOON)
    line = "from a.example ([192.0.2.10]) by b.example; Tue, 10 Mar 2026 12:00:01 +0000"
    assert [arrival.received for arrival in ProbeArrival.objects.all()] == [[line, line]]


def test_our_own_mx_is_looked_past_for_the_host_that_delivered(case: Case, settings: Settings) -> None:
    settings.PROBE_HOSTS = ("198.51.100.25",)
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    way = "Received: from relay.example ([192.0.2.10])\r\n by mx.isp.example\r\n"
    checking.record_arrivals([probe(run, received=way, peer="198.51.100.25")], now=NOON)
    assert ProbeArrival.objects.get().peer == "192.0.2.10"
    assert CheckRun.objects.get().reason.startswith("our test mail (form “plain”) came back through 192.0.2.10")


def test_a_probe_taken_on_another_port_names_it(case: Case, settings: Settings) -> None:
    settings.RELAY_MORE_PORTS = (587, 465)
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    checking.record_arrivals([probe(run, port=587, peer="192.0.2.10")], now=NOON)
    assert CheckRun.objects.get().reason == (
        "our test mail (form “plain”, taken on port 587) came back through 192.0.2.10 after 0 s"
    )


@pytest.mark.parametrize(("hours", "verdict"), [(24, "bad"), (25, "unknown")])
def test_a_probe_turns_the_verdict_for_a_day(case: Case, hours: int, verdict: str) -> None:
    run = running(case)
    checking.record_outcome(run, WAITING, now=NOON)
    checking.stop_waiting(now=NOON + timedelta(hours=1))
    late = NOON + timedelta(hours=hours)
    case.due_at = None
    case.save()

    checking.record_arrivals([probe(run, received_at=late)], now=late)
    case.refresh_from_db()
    assert CheckRun.objects.get().verdict == verdict
    assert case.due_at == (late if verdict == "bad" else None)


def accepted(*forms: str) -> CheckOutcome:
    taken = [{"form": form, "port": 25, "stage": "end", "code": 250} for form in forms]
    refused = {"form": "pct-host", "port": 25, "stage": "rcpt", "code": 554}
    return CheckOutcome(verdict=Verdict.UNKNOWN, reason="accepted", waiting=True, details={"forms": [*taken, refused]})


def bounce(run: CheckRun, form: str = "plain") -> Message:
    returned = sign_probe(checking.probe_secret(), run.nonce, run.address_text, run.port, form)
    content = f"Subject: Undelivered {{}}\r\n\r\nX-Relay-Check-Token: {returned}"
    return probe(run, form=RETURN_PATH, domain="bounce.probe.example", content=content)


def test_a_server_that_takes_everything_and_bounces_it_is_no_relay_but_backscatter(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, accepted("plain"), now=NOON)
    returned = bounce(run)
    assert checking.is_for_probes(returned)
    arrived = checking.record_arrivals([returned], now=NOON)

    done = CheckRun.objects.get()
    assert (list(arrived.cases), list(arrived.strays)) == ([case.pk], [])
    assert (done.state, done.verdict, done.reason[:12]) == ("done", "unknown", "backscatter:")
    assert done.details["backscatter"] is True


def test_a_bounce_of_one_probe_does_not_end_the_wait_for_the_others(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, accepted("plain", "bang-bare"), now=NOON)
    checking.record_arrivals([bounce(run)], now=NOON)
    assert CheckRun.objects.get().state == "waiting"

    checking.stop_waiting(now=NOON + timedelta(hours=1))
    assert CheckRun.objects.get().reason.startswith("backscatter:")


def test_a_bounce_after_the_verdict_corrects_the_reason(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, accepted("plain"), now=NOON)
    checking.stop_waiting(now=NOON + timedelta(hours=1))
    checking.record_arrivals([bounce(run)], now=NOON)
    assert CheckRun.objects.get().reason.startswith("backscatter:")


def test_a_probe_that_arrives_counts_although_another_was_returned(case: Case) -> None:
    run = running(case)
    checking.record_outcome(run, accepted("plain"), now=NOON)
    checking.record_arrivals([bounce(run)], now=NOON)
    arrive(run)
    assert CheckRun.objects.get().verdict == "bad"


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
    raw = f"Message-ID: <{local}@relaycheck.isp.example>\r\nX-Was: {shape}\r\n\r\n"
    message = make_message(raw.encode(), envelope_to=shape.format(local.upper()), peer="192.0.2.10")

    assert checking.record_arrivals([message], now=NOON).cases == [case.pk]
    assert CheckRun.objects.get().verdict == "bad"
