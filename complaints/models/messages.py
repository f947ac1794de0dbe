from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from complaints.models.compression import unpack


class CompressionDictionary(models.Model):
    """A zstd dictionary trained on the site's own mail. Rows are never deleted: old mail needs its own one."""

    data = models.BinaryField()
    trained_on = models.PositiveIntegerField(help_text="Number of mails")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"dictionary {self.pk}"


class Message(models.Model):
    """One incoming mail or post, kept byte for byte. Never changed: what we made of it is its Reading."""

    class Channel(models.TextChoices):
        SMTP = "smtp"
        LMTP = "lmtp"
        PIPE = "pipe"
        API = "api"
        UPLOAD = "upload"
        DESK = "desk"  # pasted, or written down from a telephone call or a letter
        LISTING = "listing"  # written by ourselves: what a blacklist says of our addresses

    sha256 = models.BinaryField(max_length=32, unique=True)
    packed = models.BinaryField(help_text="zstd")
    dictionary = models.ForeignKey(CompressionDictionary, null=True, on_delete=models.PROTECT, db_index=False)
    size = models.PositiveIntegerField(help_text="octets before compression")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    peer = models.CharField(max_length=100, blank=True)
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.TextField(blank=True, help_text="Recipients, one a line")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"message {self.pk}"

    @cached_property
    def raw(self) -> bytes:
        """Unpacked once, for whoever looks at its sender before it is read."""
        return unpack(self.packed, self.dictionary_id)


class Reading(models.Model):
    """What the desk made of a message, and the queue of those that wait to be read."""

    class State(models.TextChoices):
        WAITING = "waiting"
        READ = "read"
        UNREAD = "unread"  # parked: a human must look

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="reading")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True)
    later = models.BooleanField(
        default=False, db_default=False, help_text="One of a flood: read when nothing else waits"
    )
    format = models.CharField(max_length=40, blank=True)
    disposition = models.CharField(max_length=20, blank=True)
    problem = models.TextField(blank=True)
    subject = models.CharField(max_length=400, blank=True)
    sender = models.CharField(max_length=320, blank=True)
    complaint_count = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["message"], name="reading_waiting", condition=Q(state="waiting")),
            models.Index(fields=["message"], name="reading_later", condition=Q(state="waiting", later=True)),
            models.Index(fields=["message"], name="reading_unread", condition=Q(state="unread")),
        ]

    def __str__(self) -> str:
        return f"reading of message {self.message_id}"
