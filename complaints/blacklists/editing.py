"""The form in which the catalogue is edited: answers a line each, all of it read as strictly as the shipped file."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from complaints.checks import ENTRY_FIELDS, BadCatalogue, entry_of, read_entry
from complaints.models import Blacklist

CODE_HELP = (
    "One answer a line: the answer, its causes parted by commas, and what it means. 127.0.0.2, a run 127.0.0.4-7 or "
    "127.0.1.*; of a list of bits: 1, 2, 4 … Causes: spam-source, bot, relay, proxy, backscatter, attack and "
    "reputation are held against the line; policy, network and allow are only shown."
)
ERROR_HELP = "One answer a line, and what it means. 127.0.0.1 and 127.255.255.* are taken so on every list."
KEY = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
LINES = {"rows": 6, "cols": 90, "spellcheck": "false"}


class BlacklistForm(forms.ModelForm):
    codes_text = forms.CharField(label="Answers", help_text=CODE_HELP, widget=forms.Textarea(attrs=LINES))
    errors_text = forms.CharField(
        label="Refusals", help_text=ERROR_HELP, required=False, widget=forms.Textarea(attrs=LINES | {"rows": 3})
    )
    families = forms.MultipleChoiceField(
        choices=[("ipv4", "IPv4"), ("ipv6", "IPv6")], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Blacklist
        fields = [*(name for name in ENTRY_FIELDS if name not in ("codes", "errors")), "key"]
        widgets = {name: forms.Textarea(attrs={"rows": 2, "cols": 90}) for name in ("how", "note", "source")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("codes_text", lines_of_codes(self.instance.codes))
        self.initial.setdefault("errors_text", lines_of_errors(self.instance.errors))

    def clean_codes_text(self) -> dict[str, Any]:
        return read_lines(self.cleaned_data["codes_text"], read_code_line)

    def clean_errors_text(self) -> dict[str, Any]:
        return read_lines(self.cleaned_data["errors_text"], read_error_line)

    def clean_delisting(self) -> str:
        """It becomes a link on customers' pages."""
        link = str(self.cleaned_data["delisting"]).strip()
        if link:
            URLValidator(["https", "http"], message="Enter an address that begins with https:// or http://")(link)
        return link

    def clean_key(self) -> str:
        """It is put before the zone, so it must be a name."""
        key = str(self.cleaned_data["key"]).strip()
        if key and not KEY.fullmatch(key):
            raise ValidationError("Enter letters, digits, _ and - only, at most 63 between two dots")
        return key

    def clean(self) -> dict[str, Any] | None:
        super().clean()
        if self.errors:
            return None
        codes, errors = self.cleaned_data["codes_text"], self.cleaned_data["errors_text"]
        entry = {name: self.cleaned_data.get(name) for name in ENTRY_FIELDS} | {"codes": codes, "errors": errors}
        entry["source"] = entry["source"] or "this site"
        try:
            self.entry = entry_of(read_entry(entry, "list"))
        except BadCatalogue as exc:
            raise ValidationError(str(exc).partition("): ")[2] or str(exc)) from exc
        return self.cleaned_data

    def save(self, commit: bool = True) -> Any:
        for name, value in self.entry.items():
            setattr(self.instance, name, value)
        return super().save(commit)


def lines_of_codes(codes: dict[str, Any]) -> str:
    rows = [(key, ",".join(causes_of(codes[key])), codes[key]["meaning"]) for key in sorted(codes, key=numbers)]
    return "\n".join("  ".join(row) for row in rows)


def causes_of(code: dict[str, Any]) -> list[str]:
    cause = code["cause"]
    return [cause] if isinstance(cause, str) else list(cause)


def lines_of_errors(errors: dict[str, str]) -> str:
    return "\n".join(f"{key}  {errors[key]}" for key in sorted(errors, key=numbers))


def numbers(key: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", key)]


def read_lines(text: str, read: Any) -> dict[str, Any]:
    """Raises ValidationError naming the line."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            key, value = read(line.split())
        except ValueError as exc:
            raise ValidationError(f"Line {number}: {exc}") from exc
        if key in found:
            raise ValidationError(f"Line {number}: {key} is there twice")
        found[key] = value
    return found


def read_code_line(words: list[str]) -> tuple[str, Any]:
    if len(words) < 3:
        raise ValueError("write the answer, its causes and what it means, as “127.0.0.4 bot infected host”")
    return words[0], {"cause": words[1].split(","), "meaning": " ".join(words[2:])}


def read_error_line(words: list[str]) -> tuple[str, str]:
    if len(words) < 2:
        raise ValueError("write the answer and what it means, as “127.0.0.255 too many questions”")
    return words[0], " ".join(words[1:])
