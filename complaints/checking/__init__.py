"""Checks as rows: ordered under the safety rules, claimed, run, and recorded. A refusal is a recorded answer."""

from complaints.checking.arrivals import Arrivals, is_for_probes, record_arrivals
from complaints.checking.loop import run_claimed, run_now, work_off
from complaints.checking.orders import addresses_of, order_check, queue_check
from complaints.checking.outcomes import MOST_TRIES, record_outcome, record_outcomes, settle_arrival, stop_waiting
from complaints.checking.rules import is_not_theirs_alone, refusal
from complaints.checking.runs import IN_FLIGHT, allowed, by_queue, claim_runs, due_runs, release_dead
from complaints.checking.setup import config, probe_secret

__all__ = [
    "IN_FLIGHT",
    "MOST_TRIES",
    "Arrivals",
    "addresses_of",
    "allowed",
    "by_queue",
    "claim_runs",
    "config",
    "due_runs",
    "is_for_probes",
    "is_not_theirs_alone",
    "order_check",
    "probe_secret",
    "queue_check",
    "record_arrivals",
    "record_outcome",
    "record_outcomes",
    "refusal",
    "release_dead",
    "run_claimed",
    "run_now",
    "settle_arrival",
    "stop_waiting",
    "work_off",
]
