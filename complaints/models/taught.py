from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.formats.taught import TaughtField, TaughtRule
from complaints.models.messages import Message
from complaints.vocabulary import Category


class SenderRule(models.Model):
    """How one sender's mails are to be read, as a person has shown. Never changed: a new version takes its place."""

    class State(models.TextChoices):
        DRAFT = "draft", "being tried"
        ACTIVE = "active", "in use"
        RETIRED = "retired", "no longer in use"

    sender = models.CharField(max_length=320, help_text='An address, or "@domain", in small letters')
    phrase = models.CharField(max_length=200, blank=True, help_text="Must stand in the subject or the text")
    category = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Category])
    fields = models.JSONField(help_text="{name: {before} or {pattern}}; see formats/taught.py")
    version = models.PositiveIntegerField(default=1)
    replaces = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    message = models.ForeignKey(
        Message, null=True, on_delete=models.PROTECT, related_name="+", help_text="The mail it was shown on"
    )
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150, blank=True, help_text="Who put it in use, or out of use")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="sender_rule_active", condition=Q(state="active"))]

    def __str__(self) -> str:
        return f"rule {self.pk} for {self.sender}"

    @property
    def taught(self) -> TaughtRule:
        fields = tuple(
            TaughtField(name, before=each.get("before", ""), pattern=each.get("pattern", ""))
            for name, each in self.fields.items()
        )
        return TaughtRule(self.pk, self.sender, fields, Category(self.category), self.phrase)
