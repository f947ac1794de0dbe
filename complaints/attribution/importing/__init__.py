"""The ISP's own data: networks, contracts, assignments, identifiers and names as CSV, and leases. A verb a noun.

    import_networks(open(path, encoding="utf-8-sig", errors="surrogateescape", newline=""), name=path)

Any iterable of text lines will do for CSV: all of a file or nothing of it. Feeds of leases (leases/feeds.py) are read
record by record. Safe to repeat: the second time everything is "unchanged".
"""

from complaints.attribution.importing.assignments import import_assignments
from complaints.attribution.importing.cgnat import import_cgnat
from complaints.attribution.importing.contracts import import_contracts
from complaints.attribution.importing.corrections import correct_assignments
from complaints.attribution.importing.identifiers import import_identifiers, import_names
from complaints.attribution.importing.leases.feeds import import_feed, import_leases, place_waiting
from complaints.attribution.importing.networks import import_networks
from complaints.attribution.importing.reading import ImportRefused
from complaints.attribution.importing.upsert import Summary

__all__ = [
    "ImportRefused",
    "Summary",
    "correct_assignments",
    "import_assignments",
    "import_cgnat",
    "import_contracts",
    "import_feed",
    "import_identifiers",
    "import_leases",
    "import_names",
    "import_networks",
    "place_waiting",
]
