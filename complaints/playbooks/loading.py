"""Bring a playbook document into the database as the active version; the one before it drains."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction
from django.db.models import Max

from complaints.models import PlaybookVersion
from complaints.playbooks.actions import load_actions
from complaints.playbooks.documents import BadPlaybook, check_document, parse_steps
from complaints.registry import by_name

SHIPPED = Path(__file__).parent / "default.yaml"


def read_playbook(path: Path = SHIPPED) -> dict[str, Any]:
    """Raises BadPlaybook naming the file and what is wrong with it."""
    try:
        document = yaml.safe_load(path.read_text())
        check_document(document)
        parse_steps(document, by_name(load_actions()))
    except (OSError, yaml.YAMLError, BadPlaybook, AttributeError, TypeError) as exc:
        raise BadPlaybook(f"{path}: {exc}") from exc
    return dict(document)


def begin_with_shipped(*, now: datetime) -> PlaybookVersion:
    """The active playbook; a desk that has none yet begins with the shipped one."""
    active = PlaybookVersion.objects.filter(state=PlaybookVersion.State.ACTIVE).order_by("pk").first()
    return active or activate_playbook(read_playbook(), now=now)


def activate_playbook(document: Mapping[str, Any], *, now: datetime) -> PlaybookVersion:
    """Make this document the active version of its name. Repeating it with the same document changes nothing."""
    name = document["name"]
    versions = PlaybookVersion.objects.filter(name=name)
    with transaction.atomic():
        active = versions.filter(state=PlaybookVersion.State.ACTIVE).first()
        if active is not None and active.document == document:
            return active
        versions.filter(state=PlaybookVersion.State.ACTIVE).update(state=PlaybookVersion.State.DRAINING)
        number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
        return PlaybookVersion.objects.create(
            name=name, number=number, state=PlaybookVersion.State.ACTIVE, document=dict(document), created_at=now
        )
