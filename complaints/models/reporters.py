from __future__ import annotations

from django.db import models

from complaints.models.messages import Message
from complaints.models.outgoing import WAITS_FOR_DELIVERY, OutgoingMail


class Reporter(models.Model):
    """Who complains. An address alone proves nothing: a human, or DKIM as our own MX saw it, sets `authenticated`."""

    class Wants(models.TextChoices):
        DEFAULT = "", "as the settings say"
        ACKNOWLEDGEMENT = "acknowledgement", "a receipt"
        OUTCOME = "outcome", "a receipt, and what became of it"
        SILENCE = "silence", "no mail by machine"

    class Trust(models.TextChoices):
        MEASURED = "", "as measured"
        TRUSTED = "trusted", "trusted"
        DISTRUSTED = "distrusted", "not trusted"

    address = models.CharField(max_length=320, unique=True)
    authenticated = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField()
    no_mail = models.BooleanField(default=False, help_text="Never write to them by machine: a feed, or they wish none")
    wants = models.CharField(
        max_length=20, choices=Wants.choices, default=Wants.DEFAULT, db_default="", blank=True,
        help_text="By machine: nothing but by the settings, a receipt, also the outcome, or silence",
    )  # fmt: skip
    trust = models.CharField(
        max_length=12, choices=Trust.choices, default=Trust.MEASURED, db_default="", blank=True,
        help_text="A person's word, which goes before what is measured",
    )  # fmt: skip
    note = models.TextField(blank=True, default="", db_default="", help_text="What the desk knows of them")
    right = models.FloatField(default=0, db_default=0, help_text="Cases that proved them right, older ones count less")
    wrong = models.FloatField(default=0, db_default=0, help_text="Cases that proved them wrong, in the same way")
    right_cases = models.PositiveIntegerField(default=0, db_default=0, help_text="The same, each counted as one")
    wrong_cases = models.PositiveIntegerField(default=0, db_default=0, help_text="The same, each counted as one")
    measured_at = models.DateTimeField(null=True, help_text="When these four were counted")
    recent = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Complaints of the last 30 days, as ReporterTally says"
    )

    class Meta:
        indexes = [models.Index(fields=["-recent", "-id"], name="reporter_recent")]

    def __str__(self) -> str:
        return self.address


class ReporterChange(models.Model):
    """Who changed what the desk thinks of a reporter, or how it treats them. Written once."""

    reporter = models.ForeignKey(Reporter, on_delete=models.PROTECT, related_name="changes", db_index=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    text = models.CharField(max_length=500, help_text="What was changed, in words")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["reporter", "-id"], name="reporter_change")]

    def __str__(self) -> str:
        return f"{self.reporter_id} {self.text}"


class ReporterTally(models.Model):
    """How many complaints of a kind a reporter sent on a day (UTC, by arrival). Counted behind the intake."""

    reporter = models.ForeignKey(Reporter, on_delete=models.PROTECT, related_name="tallies", db_index=False)
    day = models.DateField()
    category = models.CharField(max_length=20)
    format = models.CharField(max_length=40)
    complaints = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reporter", "day", "category", "format"], name="reporter_tally_once")
        ]
        indexes = [models.Index(fields=["day"], name="reporter_tally_day")]

    def __str__(self) -> str:
        return f"{self.reporter_id} {self.day} {self.category}"


class TallyPosition(models.Model):
    """How far a counter that follows the complaints has come. `ahead`: the highest id when it counted last."""

    name = models.CharField(max_length=40, primary_key=True)
    upto = models.BigIntegerField(default=0)
    ahead = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} to {self.upto}"


class ReporterMail(OutgoingMail):
    """One mail to a reporter, in answer to one of theirs. WITHHELD: a limit forbade it, and `problem` says which.

    Those that the machine decides by itself hold a slot: the number of the mail within the reporter's day. So two
    constraints keep the limits, whoever decides at the same moment: a day has so many slots, a thread has one a day.
    What an analyst sends by hand, and what was withheld, has none.
    """

    class Kind(models.TextChoices):
        ASK_MISSING = "ask_missing", "asks for what is missing"
        NOT_OURS = "not_ours", "says that the address is not ours"
        ACKNOWLEDGED = "acknowledged", "says that we have it, with our reference"
        FORWARDED = "forwarded", "says that the customer was told"
        TOO_OLD = "too_old", "says that it is too old to be traced"
        FIXED = "fixed", "says that it is fixed, and that this was tested"
        CLOSED = "closed", "says that we have finished with it"
        MESSAGE = "message", "a person's own words"

    incoming = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="reporter_mails", db_index=False)
    reporter = models.ForeignKey(Reporter, on_delete=models.PROTECT, related_name="mails", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    references = models.TextField(blank=True, help_text="Message-IDs of the thread, the answered one last (RFC 5322)")
    thread = models.CharField(max_length=64, help_text="Digest of the thread's first Message-ID")
    day = models.DateField(help_text="Day of the decision in UTC, for the limits")
    slot = models.PositiveSmallIntegerField(null=True, help_text="Number of this mail within the reporter's day")
    decided_by = models.CharField(max_length=150, help_text="A user name, or machine")
    facts = models.JSONField(default=dict, help_text="What the letter speaks of: the complaints, and what is missing")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incoming", "kind"], condition=~models.Q(kind="message"), name="reporter_mail_once"
            ),
            models.UniqueConstraint(fields=["reporter", "day", "slot"], name="reporter_mail_slot"),
            models.UniqueConstraint(
                fields=["reporter", "thread", "day"],
                condition=models.Q(slot__isnull=False),
                name="reporter_mail_thread_day",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="reporter_mail_due", condition=WAITS_FOR_DELIVERY),
            models.Index(fields=["day"], name="reporter_mail_day", condition=models.Q(slot__isnull=False)),
            models.Index(fields=["reporter", "kind", "-id"], name="reporter_mail_last"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to_email}"


class ReporterAnswer(models.Model):
    """What a reporter wrote back to one of our mails. UNCLEAR waits for a human: a machine must not guess."""

    class State(models.TextChoices):
        USED = "used"  # every question was answered, and the complaints were asked for again
        UNCLEAR = "unclear"
        READ = "read"  # by a human, who did what there was to do; or by the machine, and there is nothing to do

    mail = models.ForeignKey(ReporterMail, on_delete=models.PROTECT, related_name="answers")
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="reporter_answer")
    text = models.TextField(help_text="Their own words, without what they quote")
    told = models.JSONField(default=list, help_text="[{complaint, port, at}, …]: what was read from it")
    state = models.CharField(max_length=10, choices=State.choices)
    problem = models.CharField(max_length=500, blank=True, help_text="Why a human must look, in words")
    at = models.DateTimeField()
    read_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-id"], name="reporter_answer_unclear", condition=models.Q(state="unclear"))]

    def __str__(self) -> str:
        return f"answer to {self.mail_id}"


class OwedOutcome(models.Model):
    """A reporter's mail whose author is to hear what became of it: looked at again and again until there is an end."""

    message = models.OneToOneField(Message, primary_key=True, on_delete=models.PROTECT, related_name="owed_outcome")
    reporter = models.ForeignKey(Reporter, on_delete=models.PROTECT, related_name="owed", db_index=False)
    since = models.DateTimeField(help_text="When the mail was filed: what is not settled half a year later is let go")
    due_at = models.DateTimeField(help_text="When it is looked at next")
    ended_at = models.DateTimeField(null=True, help_text="Set when the outcome was decided, or nothing will come")
    remark = models.CharField(max_length=200, blank=True, help_text="Why no mail was written, in words")

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="owed_outcome_due", condition=models.Q(ended_at__isnull=True))]

    def __str__(self) -> str:
        return f"outcome of message {self.message_id}"
