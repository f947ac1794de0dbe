"""The ISP's own data as CSV: networks, contracts, assignments. One verb a noun; all of a file or nothing of it.

    import_networks(open(path, encoding="utf-8-sig", errors="surrogateescape", newline=""), name=path)

Any iterable of text lines will do. Safe to repeat: the second time everything is "unchanged".
"""

from complaints.attribution.importing.assignments import import_assignments
from complaints.attribution.importing.contracts import import_contracts
from complaints.attribution.importing.networks import import_networks
from complaints.attribution.importing.reading import ImportRefused
from complaints.attribution.importing.upsert import Summary

__all__ = ["ImportRefused", "Summary", "import_assignments", "import_contracts", "import_networks"]
