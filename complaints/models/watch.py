"""What is counted so that a page needs not count: complaints by day and hour, mail flow, feeds; and how far we are."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SweepPosition(models.Model):
    """How far a sweep over a growing table has come.

    `seen` was the highest id at `seen_at`. A sweep goes no further until that is a while ago: on PostgreSQL a lower
    id may be committed after a higher one.
    """

    name = models.CharField(max_length=30, primary_key=True)
    position = models.BigIntegerField(default=0, help_text="Everything up to this id is done")
    seen = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.position}"


class Tally(models.Model):
    """How many of something in one hour or one day (UTC). Kept for as long as the watch looks back."""

    class Kind(models.TextChoices):
        ALL = "all", "whole network"
        PRODUCT = "product"
        CONTRACT = "contract"

    class Span(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    class Metric(models.TextChoices):
        COMPLAINTS = "complaints"
        MESSAGES = "messages", "messages sent"
        QUEUE = "queue", "messages in the queue"
        FAILED = "failed", "failed deliveries"
        BYTES = "bytes", "bytes sent"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    ref = models.BigIntegerField(default=0, help_text="Id of the product or contract; 0: the whole network")
    metric = models.CharField(max_length=12, choices=Metric.choices)
    span = models.CharField(max_length=4, choices=Span.choices)
    at = models.DateTimeField(help_text="Beginning of the hour or the day, UTC")
    n = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["kind", "ref", "metric", "span", "at"], name="tally_once")]
        indexes = [models.Index(fields=["span", "at"], name="tally_when")]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref} {self.metric} {self.at:%Y-%m-%d %H}: {self.n}"


class Rise(models.Model):
    """Something counted rose far above what is usual. It ends when it is back in its band."""

    kind = models.CharField(max_length=10, choices=Tally.Kind.choices)
    ref = models.BigIntegerField(default=0)
    metric = models.CharField(max_length=12, choices=Tally.Metric.choices)
    began_at = models.DateTimeField(help_text="The first day or hour above the band")
    last_at = models.DateTimeField(help_text="The last one")
    value = models.BigIntegerField(help_text="The highest so far")
    usual = models.FloatField(help_text="The middle of what would have been expected, at the highest")
    most = models.FloatField(help_text="The upper end of what would have been expected")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "ref", "metric"], condition=Q(ended_at__isnull=True), name="rise_open_once"
            )
        ]
        indexes = [models.Index(fields=["-began_at", "-id"], name="rise_newest")]

    def __str__(self) -> str:
        return f"rise of {self.metric}, {self.kind} {self.ref}"


class Feed(models.Model):
    """What comes in regularly: one sender's mail (format ""), or all mail of a format (sender "")."""

    format = models.CharField(max_length=40)
    sender = models.CharField(max_length=320, blank=True, default="")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    gaps = models.JSONField(default=list, help_text="Whole hours between hours with mail, the youngest last")
    outcomes = models.JSONField(default=list, help_text="[[message id, 1 if it was read], …], the youngest last")
    silent_since = models.DateTimeField(null=True, help_text="Set while it is longer silent than ever is usual")
    failing_since = models.DateTimeField(null=True, help_text="Set while far more than usual cannot be read")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["format", "sender"], name="feed_once")]
        indexes = [models.Index(fields=["last_at"], name="feed_last")]

    def __str__(self) -> str:
        return self.sender or f"format {self.format}"


class SignedCall(models.Model):
    """A signed call of the API that was taken: the same one is refused for as long as its time stamp is fresh."""

    signature = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"call at {self.at:%Y-%m-%d %H:%M:%S}"
