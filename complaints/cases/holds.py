"""The kill switch: one click holds all outgoing mail, or all measures; what is held waits and is not lost."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from complaints.models import Hold


def is_held(what: Hold.What) -> bool:
    return Hold.objects.filter(what=what, ended_at=None).exists()


def begin_hold(what: Hold.What, *, actor: str, reason: str, now: datetime) -> Hold:
    """Hold it; a hold that stands already is returned as it is."""
    try:
        with transaction.atomic():
            return Hold.objects.create(what=what, reason=reason[:500], began_at=now, began_by=actor)
    except IntegrityError:
        return Hold.objects.get(what=what, ended_at=None)


def end_hold(what: Hold.What, *, actor: str, now: datetime) -> bool:
    """Let it go on; False when nothing was held."""
    return bool(Hold.objects.filter(what=what, ended_at=None).update(ended_at=now, ended_by=actor))
