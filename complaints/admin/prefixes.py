"""A prefix in a form of the admin: written as text, kept as the bytes by which it is found."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from complaints.addresses import prefix_key


class PrefixField(forms.CharField):
    """192.0.2.0/24 or 2001:db8::/48 as text; the bytes behind it are nobody's business."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            prefix_key(text)
        except ValueError as exc:
            raise ValidationError(f"Write a prefix as 192.0.2.0/24 or 2001:db8::/48: {exc}") from exc
        return str(text)


class PrefixForm(forms.ModelForm):
    """A model with `prefix` over the bytes in `key`, written as text."""

    prefix_text = PrefixField(label="Prefix", max_length=50)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["prefix_text"] = self.instance.prefix

    def _post_clean(self) -> None:
        if prefix := self.cleaned_data.get("prefix_text"):
            self.instance.prefix = prefix
        super()._post_clean()  # type: ignore[misc]
