"""The minute in which an act can be taken back, gone by."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from complaints import bulk
from complaints.cases.bulk_rules import UNDO


def after_the_minute() -> bulk.Done:
    later = timezone.now() + UNDO + timedelta(seconds=1)
    return bulk.carry_out_due(bulk.due_actions(later, limit=99), now=later)
