"""Reports: statistics of a period. One file a report with NAME, TITLE, COLUMNS and rows(since, until).

`rows` yields mappings with the columns' names as keys. An incoming mail is never called a report here.
"""

from __future__ import annotations

from types import ModuleType

from complaints.registry import by_name, load_plugins


def load_reports() -> dict[str, ModuleType]:
    """All reports by name. Raises BadPlugin."""
    return by_name(load_plugins("complaints.reporting", {"TITLE": str, "COLUMNS": tuple, "rows": None}))
