"""Blacklists: the catalogue, what the lists say of our addresses and since when, sweeps, zone files and delisting."""

from complaints.blacklists.asking import Batch, batch_of, forget_old_answers, look_again, run_due_tests
from complaints.blacklists.catalogue import Loaded, blacklists, load_catalogue, shipped
from complaints.blacklists.delisting import Ways, delisted, mark_asked, ways_out
from complaints.blacklists.health import parked
from complaints.blacklists.history import episodes_about, listings_of, record_findings, those_of_now_first
from complaints.blacklists.opening import Opened, open_for_listings
from complaints.blacklists.sweeps import release_held, sweep_lists
from complaints.blacklists.zone_files import Imported, import_zone_file
from complaints.blacklists.zone_format import KINDS, BadZoneFile

__all__ = [
    "KINDS",
    "BadZoneFile",
    "Batch",
    "Imported",
    "Loaded",
    "Opened",
    "Ways",
    "batch_of",
    "blacklists",
    "delisted",
    "episodes_about",
    "forget_old_answers",
    "import_zone_file",
    "listings_of",
    "load_catalogue",
    "look_again",
    "mark_asked",
    "open_for_listings",
    "parked",
    "record_findings",
    "release_held",
    "run_due_tests",
    "shipped",
    "sweep_lists",
    "those_of_now_first",
    "ways_out",
]
