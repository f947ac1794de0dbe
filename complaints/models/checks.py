from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.addresses import address_text, prefix_key, prefix_text
from complaints.checks import new_nonce
from complaints.models.cases import Case, choices
from complaints.models.messages import Message
from complaints.vocabulary import Verdict


class CheckRun(models.Model):
    """One run of one check on one address. A committed row is the order; a worker claims it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"  # for a probe that may still arrive
        DONE = "done"
        REFUSED = "refused"  # by a safety rule; the reason says which

    case = models.ForeignKey(Case, null=True, on_delete=models.CASCADE, related_name="checks", db_index=False)
    check_name = models.CharField(max_length=20)
    address = models.BinaryField(max_length=16)
    port = models.PositiveIntegerField(default=0, help_text="0: the check's own default")
    occasion = models.CharField(
        max_length=40, help_text="Step and stay it runs for, once a case: investigate.1, verify.4, …"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    verdict = models.CharField(max_length=10, choices=choices(Verdict), blank=True)
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    nonce = models.CharField(max_length=32, unique=True, default=new_nonce)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="Not before; while waiting: when to stop waiting")
    claim = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "check_name", "address", "port", "occasion"], name="check_once"),
            models.UniqueConstraint(
                fields=["check_name", "address"],
                condition=Q(state__in=["running", "waiting"]),
                name="check_one_in_flight",
            ),
        ]
        indexes = [
            models.Index(fields=["check_name", "address", "queued_at"], name="check_by_address"),
            models.Index(fields=["due_at"], name="check_due", condition=Q(state__in=["queued", "running", "waiting"])),
        ]

    def __str__(self) -> str:
        return f"{self.check_name} of {self.address_text}"

    @property
    def address_text(self) -> str:
        return address_text(self.address)


class ReturnedMail(models.Model):
    """Mail of ours that came back from a checked server; `form` and `port` say which of the run's probes it was."""

    form = models.CharField(max_length=40)
    port = models.PositiveIntegerField(default=0, help_text="Of the server; 0: as the run's")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, db_index=False, related_name="+")
    peer = models.CharField(max_length=100, help_text="Who delivered it to us; may be another host than the one tested")
    arrived_at = models.DateTimeField()

    class Meta:
        abstract = True


class ProbeArrival(ReturnedMail):
    """A relay probe that came back to our own mailbox: the only proof of an open relay."""

    run = models.ForeignKey(CheckRun, on_delete=models.CASCADE, related_name="arrivals")
    received = models.JSONField(
        default=list, help_text="The returning mail's Received lines, youngest first: the way it went"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "form", "port"], name="probe_once")]

    def __str__(self) -> str:
        return f"probe {self.form} of run {self.run_id}"


class ProbeBounce(ReturnedMail):
    """A probe that the server took and then returned to its sender: no relay, but backscatter."""

    run = models.ForeignKey(CheckRun, on_delete=models.CASCADE, related_name="bounces")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "form", "port"], name="probe_bounce_once")]

    def __str__(self) -> str:
        return f"bounce of probe {self.form} of run {self.run_id}"


class CheckOptOut(models.Model):
    """Addresses whose holder asked not to be tested: no check connects to them."""

    key = models.BinaryField(max_length=17, unique=True, editable=False)
    note = models.CharField(max_length=300, blank=True, help_text="Who asked, and why")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "address left out of tests"
        verbose_name_plural = "addresses left out of tests"

    def __str__(self) -> str:
        return f"{self.prefix} {self.note}".strip()

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)

    @prefix.setter
    def prefix(self, text: str) -> None:
        self.key = prefix_key(text)
