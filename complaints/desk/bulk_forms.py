"""What can be done to many cases at once: the kinds, in words, and what each asks for."""

from __future__ import annotations

from typing import Any

from django import forms

from complaints.desk.forms import RESOLUTIONS
from complaints.models import User

KINDS = {
    "assign": ("Assign", "assigned"),
    "close": ("Close", "closed"),
    "note": ("Write a note on", "given the note"),
    "check": ("Check again", "checked again"),
}
# What follows, in words: nobody shall have to guess who hears of it.
FOLLOWS = {
    "close": (
        "Their customers are not written to; their own pages say that the case is closed. A measure on a line ends "
        "with “Fixed”, “Not abuse”, “Not ours” and “Stale”, and stays with the others. Reporters who want it are told."
    ),
    "check": "The addresses are tested under the safety rules; nobody is written to.",
    "assign": "Nobody outside the desk hears of it.",
    "note": "The note stands in the history of each case. Customers and reporters do not see it.",
}


class CloseForm(forms.Form):
    resolution = forms.ChoiceField(
        label="How did they end?",
        choices=[("", "Choose …"), *RESOLUTIONS],
        error_messages={"required": "Say how they ended."},
        widget=forms.Select(attrs={"autofocus": True}),
    )
    reason = forms.CharField(
        label="Why?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why: the next person to see these customers will read it."},
    )


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}),
        error_messages={"required": "Write the note first."},
    )


class AssignForm(forms.Form):
    to = forms.ChoiceField(label="To whom?", required=False, widget=forms.Select(attrs={"autofocus": True}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("username")[:200]
        names = [(user.username, f"me ({user.username})"), *((u.username, u.username) for u in others), ("", "nobody")]
        self.fields["to"].choices = names  # type: ignore[attr-defined]


def form_of(kind: str, user: User, data: Any = None) -> forms.Form:
    if kind == "assign":
        return AssignForm(data, user=user)
    return {"close": CloseForm, "note": NoteForm, "check": forms.Form}[kind](data)
