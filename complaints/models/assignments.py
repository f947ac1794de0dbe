from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from complaints.addresses import family_of, prefix_key, prefix_text
from complaints.models.customers import Contract

ALL_PORTS = (0, 65535)


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def held_by_others(self, wanted: Assignment) -> AssignmentQuerySet:
        """What other contracts hold of the prefix, ports and time of `wanted`."""
        found = self.filter(key=wanted.key, port_first__lte=wanted.port_last, port_last__gte=wanted.port_first)
        found = found.filter(Q(valid_until=None) | Q(valid_until__gt=wanted.valid_from))
        if wanted.valid_until is not None:
            found = found.filter(valid_from__lt=wanted.valid_until)
        return found.exclude(contract=wanted.contract_id).exclude(pk=wanted.pk)


class Assignment(models.Model):
    """A contract holds a prefix, or one address and a port range, from `valid_from` until before `valid_until`.

    The database itself refuses what two contracts would hold at once (triggers of migration 0018). SQLite
    forgets triggers when a migration rebuilds the table: such a migration must make them again.
    """

    class Kind(models.TextChoices):
        STATIC = "static"
        LEASE = "lease"
        CGNAT = "cgnat"

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="assignments")
    key = models.BinaryField(max_length=17, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STATIC)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="First moment it no longer holds; empty: open")
    port_first = models.PositiveIntegerField(default=ALL_PORTS[0])
    port_last = models.PositiveIntegerField(default=ALL_PORTS[1])
    said_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Of a lease feed: time of the event that said valid_until; older news do not change it",
    )
    feed = models.ForeignKey(
        "LeaseFeed",
        models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,  # its check would cost more than the row, and a feed that is gone is one not heard of
        help_text="The lease feed that told of it last; a look-up asks how far that one has told",
    )

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "valid_from", "port_first", "contract"], name="assignment_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="assignment_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(port_last__gte=F("port_first")) & Q(port_last__lte=65535), name="assignment_ports_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} {self.contract_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Also says that the prefix's length is in use: look-ups ask for no other."""
        super().save(*args, **kwargs)
        key = bytes(self.key)
        PrefixLength.objects.get_or_create(family=family_of(key), length=key[0])

    def clean(self) -> None:
        """In words what the database would refuse."""
        known = self.key and self.contract_id and self.valid_from and self.port_first is not None
        if not known or self.port_last is None or self.port_last < self.port_first:
            return  # another field says so
        other = Assignment.objects.held_by_others(self).select_related("contract").order_by("valid_from").first()
        if other is not None:
            since = max(self.valid_from, other.valid_from)
            at = f"{timezone.localtime(since):%Y-%m-%d %H:%M:%S %Z}"
            text = f"{self.contract} and {other.contract} would both hold {self.prefix} at {at}"
            if (other.port_first, other.port_last) != ALL_PORTS:
                text += f", ports {other.port_first} to {other.port_last}"
            raise ValidationError(f"{text}. End the one first.")

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)

    @prefix.setter
    def prefix(self, text: str) -> None:
        self.key = prefix_key(text)


class PrefixLength(models.Model):
    """The prefix lengths that assignments use: so few that "who holds it" asks for each by equality."""

    family = models.PositiveSmallIntegerField()  # 4 or 6
    length = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "length"], name="prefix_length_once")]

    def __str__(self) -> str:
        return f"IPv{self.family} /{self.length}"


class AssignmentChange(models.Model):
    """What a correction did to an assignment. Only ever added to: with it every earlier state can be told."""

    class Action(models.TextChoices):
        ADDED = "added"
        REMOVED = "removed"
        ENDED = "ended", "ends earlier"
        CUT = "cut", "begins later"
        SPLIT = "split", "its second part, behind what was put in between"
        CHANGED = "changed"

    changed_at = models.DateTimeField()
    action = models.CharField(max_length=10, choices=Action.choices)
    why = models.CharField(max_length=300, help_text="File and line, or who did it")
    key = models.BinaryField(max_length=17)
    before = models.JSONField(null=True, help_text="Contract, kind, times and ports; null: there was nothing")
    after = models.JSONField(null=True, help_text="The same; null: there is nothing any more")

    class Meta:
        indexes = [models.Index(fields=["key", "changed_at"], name="assignment_change_of")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.action}: {self.why}"

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)
