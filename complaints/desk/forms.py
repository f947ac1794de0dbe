"""What the desk may be told by a form, and the sentences when it is not enough."""

from __future__ import annotations

from typing import Any

from django import forms

from complaints.desk import words
from complaints.interacting import NOT_PROVEN, last_check_is_clean
from complaints.models import Case
from complaints.vocabulary import MeasureKind, Resolution

# Merging is its own act, not a way to close; it comes with its own page.
RESOLUTIONS = [(value.value, text) for value, text in words.RESOLUTIONS.items() if value is not Resolution.MERGED]


class StayForm(forms.Form):
    """`stay` is the move the page was drawn after: a page that is older than the case changes nothing."""

    stay = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class NoteForm(forms.Form):
    text = forms.CharField(max_length=10_000, error_messages={"required": "Write the note first."})


class CloseForm(StayForm):
    resolution = forms.ChoiceField(
        choices=[("", "Choose …"), *RESOLUTIONS], error_messages={"required": "Say how the case ended."}
    )
    reason = forms.CharField(
        max_length=2000,
        error_messages={"required": "Say why: the next person to see this customer will read it."},
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case = case

    def clean_resolution(self) -> Resolution:
        resolution = Resolution(self.cleaned_data["resolution"])
        if resolution is Resolution.FIXED_VERIFIED and not last_check_is_clean(self.case):
            raise forms.ValidationError(NOT_PROVEN)
        return resolution


class MeasureForm(forms.Form):
    kind = forms.TypedChoiceField(
        choices=list(words.MEASURES.items()), coerce=MeasureKind, error_messages={"required": "Say which measure."}
    )
    reason = forms.CharField(max_length=500, error_messages={"required": "Say why: somebody's line is cut by it."})


class HoldForm(forms.Form):
    reason = forms.CharField(max_length=500, error_messages={"required": "Say why: the others will ask."})
