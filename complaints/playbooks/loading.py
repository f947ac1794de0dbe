"""Bring playbook documents into the database as the active versions of their names; the ones before them drain."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction
from django.db.models import Max

from complaints.models import PlaybookVersion
from complaints.playbooks.actions import load_actions
from complaints.playbooks.documents import BadPlaybook, check_document, parse_steps
from complaints.playbooks.parameters import check_parameters
from complaints.registry import by_name

SHIPPED = Path(__file__).parent / "shipped"
GENERAL = SHIPPED / "mail_abuse.yaml"  # meant for every case that no other playbook is closer to
SHIPPED_BY = "shipped"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it
State = PlaybookVersion.State


def read_playbook(path: Path = GENERAL) -> dict[str, Any]:
    """Raises BadPlaybook naming the file and what is wrong with it."""
    try:
        return checked(yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER))  # noqa: S506  a safe one
    except (OSError, UnicodeDecodeError, yaml.YAMLError, BadPlaybook) as exc:
        raise BadPlaybook(f"{path}: {exc}") from exc


def checked(document: Any) -> dict[str, Any]:
    """The document, if it can be used. Raises BadPlaybook."""
    check_document(document)
    for step in parse_steps(document, by_name(load_actions())):
        check_parameters(step)
    return dict(document)


def shipped_playbooks() -> list[dict[str, Any]]:
    return [deepcopy(read_shipped(path)) for path in sorted(SHIPPED.glob("*.yaml"))]


@cache  # part of the program: they change with it alone
def read_shipped(path: Path) -> dict[str, Any]:
    return read_playbook(path)


def begin_with_shipped(*, now: datetime) -> list[PlaybookVersion]:
    """The active playbooks; those shipped that this desk has never had are activated first."""
    known = set(PlaybookVersion.objects.values_list("name", flat=True).distinct())
    for document in shipped_playbooks():
        if document["name"] not in known:
            activate_playbook(document, now=now, actor=SHIPPED_BY)
    return active_playbooks()


def active_playbooks() -> list[PlaybookVersion]:
    return list(PlaybookVersion.objects.filter(state=State.ACTIVE).order_by("name"))


def activate_playbook(document: Mapping[str, Any], *, now: datetime, actor: str = SHIPPED_BY) -> PlaybookVersion:
    """Make this document the active version of its name. Repeating it with the same document changes nothing."""
    name = document["name"]
    versions = PlaybookVersion.objects.filter(name=name)
    with transaction.atomic():
        active = versions.filter(state=State.ACTIVE).first()
        if active is not None and active.document == document:
            return active
        versions.filter(state=State.ACTIVE).update(state=State.DRAINING)
        number = (versions.aggregate(last=Max("number"))["last"] or 0) + 1
        return PlaybookVersion.objects.create(
            name=name,
            number=number,
            state=State.ACTIVE,
            document=dict(document),
            created_at=now,
            created_by=actor,
            activated_at=now,
            activated_by=actor,
        )
