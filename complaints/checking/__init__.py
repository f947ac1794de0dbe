"""Checks as rows: ordered under the safety rules, claimed, run, and recorded. A refusal is a recorded answer."""

from complaints.checking.arrivals import Arrivals, record_arrivals
from complaints.checking.orders import addresses_of, order_check, queue_check
from complaints.checking.outcomes import MOST_TRIES, record_outcome, settle_arrival, stop_waiting
from complaints.checking.rules import refusal
from complaints.checking.runs import allowed, claim_runs, due_runs, release_dead, run_claimed, run_now
from complaints.checking.setup import blacklists, probe_secret

__all__ = [
    "MOST_TRIES",
    "Arrivals",
    "addresses_of",
    "allowed",
    "blacklists",
    "claim_runs",
    "due_runs",
    "order_check",
    "probe_secret",
    "queue_check",
    "record_arrivals",
    "record_outcome",
    "refusal",
    "release_dead",
    "run_claimed",
    "run_now",
    "settle_arrival",
    "stop_waiting",
]
