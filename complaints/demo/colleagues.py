"""What other people and systems of the ISP do to the desk, by the product's own verbs and commands."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from complaints.demo.post import NotNow
from complaints.demo.world import Line, lines_csv
from complaints.interventions import NotAllowed, decide_measure
from complaints.models import Case
from complaints.vocabulary import CaseState, MeasureKind

T = TypeVar("T")
WHO = "bruno"
REASON = "A hundred reports in a minute, and nobody answers the telephone"


def in_a_thread(verb: Callable[..., T], *args: object) -> T:
    """A thread of its own has connections of its own, which nobody else would close."""
    try:
        return verb(*args)
    finally:
        connections.close_all()


def propose_suspension(contract: str) -> bool:
    """As a senior does on the case's page; a second person must agree. Raises NotNow while there is no case."""
    open_ones = Case.objects.filter(contract__reference=contract).exclude(state=CaseState.CLOSED)
    case = open_ones.order_by("-pk").first()
    if case is None:
        raise NotNow(f"no case of {contract} yet")
    undo = timedelta(seconds=settings.MEASURE_UNDO)
    try:
        decide_measure(
            case, MeasureKind.SUSPEND, step="by-hand-1", occurrence=case.stay, actor=WHO, reason=REASON,
            now=timezone.now(), undo=undo,
        )  # fmt: skip
    except NotAllowed:
        return False
    return True


def correct_lines(lines: Iterable[Line]) -> None:
    """As the night's job does when the lease server told an address's change of hands too late."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "leases corrected.csv")
        file.write_text(lines_csv(lines))
        call_command("import_assignments", str(file), correct=True, stdout=io.StringIO(), stderr=io.StringIO())
