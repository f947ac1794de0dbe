"""The three answers a customer can give, and what each must bring."""

from __future__ import annotations

from typing import Any

from django import forms

from complaints.cases.answers import AnswerKind

MAX_TEXT = 5000


class AnswerForm(forms.Form):
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in AnswerKind])
    text = forms.CharField(required=False, max_length=MAX_TEXT, strip=True)
    confirm = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Codes, not sentences: the words are the template's, in the customer's language."""
        given = super().clean() or {}
        kind = given.get("kind")
        if kind == AnswerKind.NEEDS_HELP and not given.get("text") and "text" not in self.errors:
            self.add_error("text", forms.ValidationError("empty", code="empty"))
        if kind == AnswerKind.NOT_ME and not given.get("confirm"):
            self.add_error("confirm", forms.ValidationError("unconfirmed", code="unconfirmed"))
        return given

    def problems(self) -> list[str]:
        return [f"{field}_{error['code']}" for field, found in self.errors.get_json_data().items() for error in found]
