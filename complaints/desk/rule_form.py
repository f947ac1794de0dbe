"""The form of a rule, its trial on the last days, and the token that says that the trial was looked at."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core import signing
from django.utils import timezone

from complaints.cases.rule_documents import CONDITIONS, BadRule, checked
from complaints.cases.rules_trial import Trial, try_rules
from complaints.cases.rulings import COLUMNS, lines_of
from complaints.desk.rule_words import CONTRACT_KINDS
from complaints.desk.words import CATEGORIES
from complaints.models import Rule, User

SALT = "abusedesk.rule"
LOOKED_AT_FOR_S = 3600  # a trial that is older says nothing of today
LINES = ("prefix", "reporter", "contract", "format")  # conditions written one a line
NEW = 0  # the id of a rule that is not there yet


def lines_field(label: str, help_text: str) -> forms.CharField:
    area = forms.Textarea({"rows": 3, "spellcheck": "false", "class": "mono"})
    return forms.CharField(label=label, required=False, max_length=60_000, widget=area, help_text=help_text)


def number_field(label: str, most: int, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=most, help_text=help_text)


class RuleForm(forms.Form):
    name = forms.CharField(label="Name", max_length=120, help_text="It stands beside every complaint that it decided")
    reason = forms.CharField(label="Why", max_length=500, widget=forms.Textarea({"rows": 2}))
    until = forms.DateField(
        label="Until the end of", required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: without end",
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="Act",
        choices=[
            ("ignore", "Ignore: open no case"),
            ("allow", "Allow: ask no rule below"),
            ("threshold", "Threshold: open a case only from a number on"),
            ("route", "Route: give new cases to a team or a person"),
        ],
    )
    reporter = lines_field("Reporters", "Mail addresses or domains, one a line; a domain means all below it too")
    # Django's own name for something else: always taken by form["prefix"].
    prefix = lines_field("Addresses", "Such as 192.0.2.7 or 2001:db8::/32, one a line")  # type: ignore[assignment]
    contract = lines_field("Contracts", "Their numbers, one a line")
    format = lines_field("Formats", "Such as arf or xarf4, one a line; a complaint's page names its format")
    category = forms.MultipleChoiceField(
        label="Categories", required=False, choices=[(key.value, title) for key, title in CATEGORIES.items()],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    contract_kind = forms.MultipleChoiceField(
        label="Lines of", required=False, choices=list(CONTRACT_KINDS.items()), widget=forms.CheckboxSelectMultiple
    )
    complaints = number_field("From so many complaints", 1000, "For a threshold only")
    reporters = number_field("From so many independent reporters", 1000, "For a threshold only; one domain counts once")
    days = number_field("Within so many days", 90, "For a threshold only")
    team = forms.CharField(label="To the team", required=False, max_length=60, help_text="For a route only")
    assignee = forms.ModelChoiceField(
        label="To the person", required=False, queryset=User.objects.none(), empty_label="Nobody in particular",
        help_text="For a route only",
    )  # fmt: skip
    first = forms.BooleanField(label="Ask it before all others", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = User.objects.filter(is_active=True).order_by("username")  # type: ignore[attr-defined]
        self.columns: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        document = given | {"conditions": {name: self.values_of(name) for name in CONDITIONS}}
        document["until"] = end_of(given["until"])
        if document["until"] and document["until"] <= timezone.now():
            self.add_error("until", "That day is over: it would decide nothing")
            return given
        try:
            self.columns = checked(document)
        except BadRule as exc:
            self.add_error(exc.field if exc.field in self.fields else None, f"{exc}.")
        return given

    def values_of(self, name: str) -> list[str]:
        value = self.cleaned_data.get(name) or []
        return value.splitlines() if isinstance(value, str) else list(value)

    @property
    def numbers(self) -> list[forms.BoundField]:
        return [self[name] for name in ("complaints", "reporters", "days")]

    @property
    def line_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("reporter", "prefix", "contract", "format")]

    @property
    def sets(self) -> list[forms.BoundField]:
        return [self["category"], self["contract_kind"]]


def end_of(day: Any) -> datetime | None:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time())) if day else None


def initial_of(rule: Rule) -> dict[str, Any]:
    """What the form shows of a rule that is there."""
    asked = rule.conditions
    shown: dict[str, Any] = {name: "\n".join(asked.get(name, [])) for name in LINES}
    shown |= {name: asked.get(name, []) for name in ("category", "contract_kind")}
    shown |= {
        name: getattr(rule, name) or ""
        for name in ("name", "reason", "kind", "complaints", "reporters", "days", "team")
    }
    until = timezone.localtime(rule.until - timedelta(microseconds=1)).date() if rule.until else None
    return shown | {"until": until, "assignee": rule.assignee_id}


def try_on_the_past(columns: dict[str, Any], rule: Rule | None, *, first: bool, now: datetime) -> Trial:
    """The rules that are active, with this one in its place, beside the rules as they are."""
    rows = list(Rule.objects.order_by("position", "id").values("active", *COLUMNS))
    about = rule.pk if rule else NEW
    tried = {name: columns.get(name) for name in COLUMNS} | {"id": about, "active": True, "assignee_id": None}
    if rule:
        new = [tried if row["id"] == rule.pk else row for row in rows]
    else:
        new = [tried, *rows] if first else [*rows, tried]
    return try_rules(
        lines_of([row for row in new if row["active"]]),
        instead_of=lines_of([row for row in rows if row["active"]]),
        about=about,
        now=now,
    )


def token_of(columns: dict[str, Any], rule: Rule | None, trial: Trial) -> str:
    """Says that exactly this was tried on the past, and whether it would have kept away proven cases."""
    return signing.dumps({"what": digest(columns, rule), "proven": len(trial.proven)}, salt=SALT)


def proven_in(token: str, columns: dict[str, Any], rule: Rule | None) -> int | None:
    """How many proven cases the trial found; None: this was not tried, or too long ago."""
    try:
        said = signing.loads(token, salt=SALT, max_age=LOOKED_AT_FOR_S)
    except signing.BadSignature:
        return None
    return int(said["proven"]) if said["what"] == digest(columns, rule) else None


def digest(columns: dict[str, Any], rule: Rule | None) -> str:
    """Names and reasons may be mended after the trial; what the rule does, and what the others do, may not."""
    does = {name: str(columns[name]) for name in sorted(columns) if name not in ("name", "reason")}
    others = list(Rule.objects.filter(active=True).order_by("position", "id").values_list("pk", "revision"))
    text = json.dumps([does, rule.pk if rule else NEW, rule.revision if rule else 0, others], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
