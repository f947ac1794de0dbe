"""Blacklists: the catalogue, what the lists say of our addresses and since when, sweeps, zone files and delisting."""

from complaints.blacklists.asking import Batch, batch_of, forget_old_answers, look_again, run_due_tests
from complaints.blacklists.catalogue import Loaded, blacklists, load_catalogue, shipped
from complaints.blacklists.health import parked
from complaints.blacklists.history import listings_of, record_findings

__all__ = [
    "Batch",
    "Loaded",
    "batch_of",
    "blacklists",
    "forget_old_answers",
    "listings_of",
    "load_catalogue",
    "look_again",
    "parked",
    "record_findings",
    "run_due_tests",
    "shipped",
]
