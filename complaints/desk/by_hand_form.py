"""What a person reads from a mail, a call or a letter, as a form: the fields of one complaint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.utils import timezone

from complaints.desk import words
from complaints.formats.addresses import canonical
from complaints.formats.dates import DAY, ZONELESS, read_mail_date
from complaints.vocabulary import Category, ParsedComplaint

CATEGORY_CHOICES = [(category.value, title) for category, title in words.CATEGORIES.items()]
HOW = [("telephone", "Telephone"), ("letter", "Letter"), ("visit", "In person")]
A_DAY = 24 * 60 * 60


class ComplaintForm(forms.Form):
    """Raises nothing: what does not fit is said beside its field."""

    source_ip = forms.CharField(
        label="Address that is accused", max_length=60, required=False, help_text="IPv4 or IPv6, as the mail names it"
    )
    source_port = forms.IntegerField(
        label="Source port", min_value=1, max_value=65535, required=False, help_text="Needed behind CGNAT"
    )
    at = forms.CharField(
        label="When it happened", max_length=80, required=False,
        help_text="Such as 2026-03-10 11:50:00 +0100. Without a zone the desk's own is meant; empty: not known",
    )  # fmt: skip
    category = forms.ChoiceField(label="What it is", choices=CATEGORY_CHOICES, initial=Category.SPAM.value)
    url = forms.CharField(label="Page or site, if that is accused", max_length=1000, required=False)
    subject = forms.CharField(label="Subject of the mail complained about", max_length=400, required=False)
    reporter = forms.CharField(
        label="Who complains", max_length=320, required=False, validators=[EmailValidator("Not a mail address")]
    )

    def clean_source_ip(self) -> str:
        written = self.cleaned_data["source_ip"].strip().strip("[]<>()").replace("[.]", ".")
        if written and canonical(written) is None:
            raise forms.ValidationError(f"{written} is no IP address. Examples: 192.0.2.7, 2001:db8::7")
        return canonical(written) or ""

    def clean_url(self) -> str:
        written: str = self.cleaned_data["url"].strip().replace("[.]", ".")
        if written.lower().startswith("hxxp"):
            written = "http" + written[4:]
        if written and not written.lower().startswith(("http://", "https://")):
            raise forms.ValidationError("It must begin with http:// or https://")
        return written

    def clean_at(self) -> datetime | None:
        written = self.cleaned_data["at"].strip()
        if not written:
            return None
        at = read_mail_date(written)
        if at is None:
            raise forms.ValidationError("Not read as a time. Write it as 2026-03-10 11:50:00 +0100")
        if at.tzinfo is ZONELESS:
            at = at.replace(tzinfo=ZoneInfo(settings.DISPLAY_TIME_ZONE))
        if at > timezone.now():
            raise forms.ValidationError("That time has not come yet")
        return at

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not (found.get("source_ip") or found.get("url")):
            raise forms.ValidationError("Say which address or which page is accused: without one nobody can be found")
        return found

    def complaint(self, *, source: str) -> ParsedComplaint:
        """source: in words, where a person found it."""
        found, at = self.cleaned_data, self.cleaned_data["at"]
        is_day = at is not None and at.tzinfo is DAY
        return ParsedComplaint(
            category=Category(found["category"]),
            source_ip=found["source_ip"] or None,
            source_port=found["source_port"],
            arrival_date=at.astimezone(UTC) if at else None,
            zone_known=not is_day,
            off_by=A_DAY if is_day else 0,
            time_stated=at is not None,
            reported_uris=(found["url"],) if found["url"] else (),
            original_subject=found["subject"] or None,
            reporter=found["reporter"].strip() or None,
            source_reason=source,
        )


class CallForm(ComplaintForm):
    """A complaint that came by telephone or on paper."""

    field_order = ("how", "reporter", "words")

    how = forms.ChoiceField(label="How it came", choices=HOW)
    words = forms.CharField(
        label="What was said", max_length=20_000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="In their words, as far as you can: it is kept as the evidence",
    )  # fmt: skip


class PasteForm(forms.Form):
    mail = forms.CharField(
        label="The mail", max_length=2_000_000, required=False, strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "false"}),
        help_text="With its header, if you have it: the source view of a mail program shows it",
    )  # fmt: skip
    file = forms.FileField(label="Or a file (.eml, .json, .csv)", required=False)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if bool((found.get("mail") or "").strip()) == bool(found.get("file")):
            raise forms.ValidationError("Paste a mail, or choose a file: one of the two")
        if found.get("file") and found["file"].size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise forms.ValidationError("The file is too large")
        return found

    @property
    def raw(self) -> bytes:
        file = self.cleaned_data["file"]
        return bytes(file.read()) if file else str(self.cleaned_data["mail"]).replace("\r\n", "\n").encode()
