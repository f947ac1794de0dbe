"""How many stand in each tab: sums over rows that triggers add with every change (models/queue_triggers.py).

No table is counted, however long it is. A deadline that passes changes no row, so late cases are counted by the five
minutes their deadlines lie in: all that are over are late.
"""
# ruff: noqa: S608 - every piece of this SQL stands in models/queue_triggers.py

from __future__ import annotations

import dataclasses
import logging
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from complaints.models import QueueCount
from complaints.models.queue_triggers import SLOT_S, counted, make_queue_triggers

log = logging.getLogger(__name__)
# The playbook gets the first go at a passed deadline; a case that is still late after this needs a human.
GRACE = timedelta(minutes=2)
LONG_AGO = timedelta(days=2)  # older deadlines need not be told apart
MANY = 2_000  # rows that wait to be summed up
TABLES = ("case", "reading", "complaint", "desktask")


def slot_of(now: datetime) -> int:
    """The five minutes in which a deadline is not yet late."""
    return int((now - GRACE).timestamp()) // SLOT_S


def late_before(now: datetime) -> datetime:
    """Deadlines before this are late; what is counted and what is shown agree on it."""
    return datetime.fromtimestamp(slot_of(now) * SLOT_S, UTC)


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """So many of a kind, by state and by who has them ("mine", "nobody" or "others")."""

    numbers: dict[tuple[str, str, str], int]

    def of(self, what: str, *states: str, holder: str = "") -> int:
        """All of `what`; where they are named, only those of these states and this holder."""
        return sum(
            number
            for (kind, state, who), number in self.numbers.items()
            if kind == what and (not states or state in states) and (not holder or who == holder)
        )


def count_queue(*, user_id: int | None, now: datetime) -> Counted:
    """One statement, over a few hundred rows."""
    rows = QueueCount.objects.filter(slot__lt=slot_of(now)).values_list("what", "state", "holder_id")
    found: dict[tuple[str, str, str], int] = {}
    for what, state, holder, number in rows.annotate(total=Sum("number")).order_by():
        who = "nobody" if not holder else "mine" if holder == user_id else "others"
        found[what, state, who] = found.get((what, state, who), 0) + number
    return Counted(found)


def sum_up(*, now: datetime | None = None, least: int = MANY) -> None:
    """Make few rows of many; nobody who counts meanwhile sees anything else than before."""
    if len(QueueCount.objects.values_list("pk")[:least]) < least:
        return
    old = slot_of((now or timezone.now()) - LONG_AGO)
    columns = "what, state, holder_id, slot, number"
    slot = f"CASE WHEN slot > 0 AND slot < {old} THEN 1 ELSE slot END"
    sums = (
        f"SELECT what, state, holder_id, {slot}, SUM(number) FROM {{rows}} GROUP BY 1, 2, 3, 4 HAVING SUM(number) <> 0"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # what others have not committed yet is neither taken nor summed
            gone = f"WITH gone AS (DELETE FROM complaints_queuecount RETURNING {columns})"
            cursor.execute(f"{gone} INSERT INTO complaints_queuecount ({columns}) {sums.format(rows='gone')}")
            return
        last = QueueCount.objects.order_by("-pk").values_list("pk", flat=True)[0]
        rows = f"(SELECT {columns} FROM complaints_queuecount WHERE id <= %s)"
        cursor.execute(f"INSERT INTO complaints_queuecount ({columns}) {sums.format(rows=rows)}", [last])
        QueueCount.objects.filter(pk__lte=last).delete()


def prove_counts(*, now: datetime | None = None) -> dict[str, int]:
    """Count everything, put right what was counted wrong, and say by how much. One statement: one moment of truth.

    On SQLite also makes the triggers anew: a migration may have lost some. All at once, so that nobody writes while one
    is missing. PostgreSQL keeps its own, and to make them anew would keep everybody waiting.
    """
    if connection.vendor == "sqlite":
        with transaction.atomic():
            make_queue_triggers()
    old = slot_of((now or timezone.now()) - LONG_AGO)
    truth = " UNION ALL ".join(counted(table, f"complaints_{table}", connection.vendor) for table in TABLES)
    slot = f"CASE WHEN slot > 0 AND slot < {old} THEN 1 ELSE slot END"
    sql = f"""INSERT INTO complaints_queuecount (what, state, holder_id, slot, number)
        SELECT what, state, holder_id, {slot}, SUM(number) FROM (
          SELECT what, state, holder_id, slot, number FROM ({truth}) AS truth
          UNION ALL SELECT what, state, holder_id, slot, -number FROM complaints_queuecount
        ) AS both_sides GROUP BY 1, 2, 3, 4 HAVING SUM(number) <> 0
        RETURNING what, number"""
    wrong: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for what, number in cursor.fetchall():
            wrong[what] = wrong.get(what, 0) + abs(number)
    if wrong:
        log.warning("the queue was counted wrong by %s; mended", wrong)
    return wrong
