"""What lease feeds need to remember beside the assignments that they make."""

from __future__ import annotations

from django.db import models

from complaints.addresses import prefix_text
from complaints.models.assignments import ALL_PORTS


class LeaseFeed(models.Model):
    """One source of leases and how far it has told: what happened later, nobody can know from it yet.

    An address may have gone to somebody else since, so a lease of a feed names nobody for certain for a time that the
    feed has not reached. Written in the transaction of the leases that it speaks of.
    """

    name = models.CharField(max_length=300, unique=True, help_text="The file, dates in its name left out, or --feed")
    reader = models.CharField(max_length=20, help_text="radius, kea, dhcpd or csv")
    told_until = models.DateTimeField(help_text="Time of its newest event; never later than when that was read")
    heard_at = models.DateTimeField(help_text="When we read the newest event")

    def __str__(self) -> str:
        return self.name


class WaitingLease(models.Model):
    """A lease that could not become an assignment yet. Nothing of a feed is dropped: it waits here, and is told.

    Leases of unknown identifiers are placed when the identifier is imported.
    """

    class Why(models.TextChoices):
        UNKNOWN = "unknown", "the identifier is not known then"
        HELD = "held", "another contract holds the same, and not by a lease"

    kind = models.CharField(max_length=20, help_text="Of the identifier, as LineIdentifier.kind")
    value = models.CharField(max_length=255)
    others = models.JSONField(default=list, help_text="Further identifiers of the same line: [[kind, value], …]")
    key = models.BinaryField(max_length=17)
    method = models.CharField(max_length=10, help_text="As Assignment.kind: lease or cgnat")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    port_first = models.PositiveIntegerField(default=ALL_PORTS[0])
    port_last = models.PositiveIntegerField(default=ALL_PORTS[1])
    said_at = models.DateTimeField(help_text="Time of the event that said valid_until")
    renews = models.BooleanField(help_text="Whether the feed writes a new start when a lease goes on (DHCP)")
    feed = models.ForeignKey(
        LeaseFeed, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False,
        help_text="As Assignment.feed",
    )  # fmt: skip
    why = models.CharField(max_length=10, choices=Why.choices)
    source = models.CharField(max_length=300, help_text="File and line")

    class Meta:
        indexes = [models.Index(fields=["key", "valid_from"], name="waiting_lease_of_prefix")]
        constraints = [
            models.UniqueConstraint(
                fields=["value", "kind", "key", "valid_from", "port_first"], name="waiting_lease_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix} for {self.kind} {self.value}: {self.why}"

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)


class OpenSession(models.Model):
    """A RADIUS session that has not stopped, one row a prefix it holds: a Stop may name no address any more.

    Or one whose Stop was read before all else and did not say enough, with an empty key: its Start may be in a file
    that comes later.
    """

    nas = models.CharField(max_length=100, help_text="NAS-Identifier or NAS-IP-Address")
    session = models.CharField(max_length=255, help_text="Acct-Session-Id")
    identifiers = models.JSONField(default=list, help_text="[[kind, value], …], the surest first")
    key = models.BinaryField(max_length=17)
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, help_text="Its Stop is known, its Start is not")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["nas", "session", "key"], name="open_session_once")]

    def __str__(self) -> str:
        return f"{self.nas} {self.session}"


class FeedPosition(models.Model):
    """How far a growing file was read; written with what was read, so a restart goes on where it was."""

    path = models.CharField(max_length=500, unique=True)
    reader = models.CharField(max_length=20)
    inode = models.CharField(max_length=40, help_text="Device and inode: another file of the same name begins anew")
    offset = models.BigIntegerField(default=0)
    line = models.BigIntegerField(default=0)
    state = models.JSONField(default=dict, help_text="What the reader must know of what it read before")
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.path} at {self.offset}"


class FeedFault(models.Model):
    """A record of a feed that could not be read, kept as it stood there."""

    source = models.CharField(max_length=300, help_text="File and line")
    text = models.TextField(help_text="The first 4,000 characters of the record")
    reason = models.CharField(max_length=500)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "reason"], name="feed_fault_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"
