from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from complaints.models.cases import Case


class SavedView(models.Model):
    """A search that somebody keeps under a name, for themselves or for all."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=400, help_text="As it stands in the search box")
    shared = models.BooleanField(default=False, help_text="Shown to everybody at the desk")
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_once")]
        indexes = [models.Index(fields=["name"], name="view_shared", condition=Q(shared=True))]

    def __str__(self) -> str:
        return self.name


class DeskAction(models.Model):
    """What a person does to one or many cases at once, with time to take it back.

    What cannot be taken back once it happened (closing, notes, checks) is held until `due_at`, and undone by never
    happening. What can (assigning) is done at once, and undone by writing what was before.
    """

    class Kind(models.TextChoices):
        ASSIGN = "assign"
        CLOSE = "close"
        NOTE = "note"
        CHECK = "check"
        INTERACT = "interact"  # several parts in one, on one case: complaints/interacting.py

    class State(models.TextChoices):
        HELD = "held"  # it happens at due_at, unless it is undone
        RUNNING = "running"
        DONE = "done"
        UNDONE = "undone"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    options = models.JSONField(
        default=dict, help_text="to (user name or null), was, resolution, reason, text; or a Wish"
    )
    state = models.CharField(max_length=10, choices=State.choices)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When it happens, or until when it can be taken back")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="desk_action_due", condition=Q(state__in=["held", "running"])),
            models.Index(fields=["user", "-id"], name="desk_action_user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.user_id}, {self.state}"


class DeskActionCase(models.Model):
    """One case of such an action, as it stood when the person saw it, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        LEFT_OUT = "left_out"
        UNDONE = "undone"

    action = models.ForeignKey(DeskAction, on_delete=models.CASCADE, related_name="cases", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="desk_actions", db_index=False)
    stay = models.PositiveIntegerField(help_text="Case.stay as the person saw it; a case that moved since is left out")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was left out")
    was = models.JSONField(default=dict, help_text="What stood there before, to write it back")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "case"], name="desk_action_case_once")]
        indexes = [models.Index(fields=["case"], name="desk_action_waits", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"case {self.case_id} of action {self.action_id}: {self.state}"


class CaseViewer(models.Model):
    """Somebody who has a case open now: kept alive by the page as it renews itself, forgotten an hour after."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="viewers", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField(help_text="When they opened it; a look after a break begins anew")
    seen_at = models.DateTimeField(help_text="When their page last asked for news, to within some seconds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="case_viewer_once")]
        indexes = [models.Index(fields=["user", "seen_at"], name="case_viewer_user")]

    def __str__(self) -> str:
        return f"{self.user_id} on case {self.case_id}"
