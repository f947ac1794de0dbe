"""One step of a playbook as a form: its fields come from the tables that the loader checks by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from django import forms

from complaints.checks import load_checks
from complaints.playbooks.actions import load_actions
from complaints.playbooks.condition_words import ANSWERS, CATEGORIES, CAUSES, CONDITION_WORDS
from complaints.playbooks.conditions import CONDITIONS
from complaints.playbooks.documents import (
    AUDIENCE,
    STEP_ID,
    WORKING,
    WORKING_HOURS,
    BadPlaybook,
    parse_span,
    parse_step,
)
from complaints.playbooks.parameters import PARAMETERS, Parameter, check_parameter, check_parameters
from complaints.playbooks.sentences import CHECK_WORDS, ENDINGS, LETTER_WORDS, MEASURE_WORDS, STATE_WORDS
from complaints.playbooks.versions import MOST_NOTE, MOST_TITLE
from complaints.registry import by_name
from complaints.vocabulary import Category, Cause, ContractKind, CustomerStatus, Resolution, Verdict

SETS: Mapping[str, type[StrEnum]] = {
    "categories": Category, "causes": Cause, "contracts": ContractKind, "answers": CustomerStatus,
}  # fmt: skip
KNOWN = {Category: CATEGORIES, Cause: CAUSES, CustomerStatus: ANSWERS, Resolution: ENDINGS}
TRUTHS = {"true": True, "false": False, "null": None}
ANY = ("", "does not matter")
YES_NO = [ANY, ("true", "yes"), ("false", "no")]
SPAN_HINT = "as 15m, 36h, 3d or 1d 12h"


def words_of(kind: type[StrEnum]) -> list[tuple[str, str]]:
    known = KNOWN.get(kind, {})
    return [(member.value, known.get(member.value, member.value.replace("_", " "))) for member in kind]


def condition_field(shape: str, label: str, checks: Sequence[str]) -> forms.Field:
    if shape in SETS:
        widget = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=words_of(SETS[shape]), widget=widget, required=False, label=label)
    if shape == "number":
        return forms.FloatField(min_value=0, max_value=1_000_000, required=False, label=label)
    choices = {
        "bool": YES_NO,
        "tristate": [*YES_NO, ("null", "not known")],
        "step": [ANY, *((each, each) for each in checks)],
        "measure": [ANY, *MEASURE_WORDS.items()],
    }
    return forms.ChoiceField(choices=choices[shape], required=False, label=label)


def parameter_field(parameter: Parameter) -> forms.Field:
    label = parameter.label
    if parameter.shape == "bool":
        return forms.BooleanField(required=False, label=label)
    if parameter.shape == "checks":
        choices = [(name, CHECK_WORDS.get(name, name)) for name in by_name(list(load_checks()))]
        return forms.MultipleChoiceField(
            choices=choices, widget=forms.CheckboxSelectMultiple, required=False, label=label
        )
    if parameter.shape == "span":
        return forms.CharField(max_length=40, required=False, label=label, help_text=SPAN_HINT)
    offered = {
        "state": list(STATE_WORDS.items()),
        "measure": list(MEASURE_WORDS.items()),
        "resolution": list(words_of(Resolution)),
        "letter": list(LETTER_WORDS.items()),
    }
    if parameter.shape in offered:
        return forms.ChoiceField(choices=[("", "choose …"), *offered[parameter.shape]], required=False, label=label)
    return forms.CharField(max_length=500, required=False, label=label)


class StepForm(forms.Form):
    """`row` is the step as it stands in the document; to_row() is what it becomes."""

    id = forms.CharField(max_length=40, label="Name", help_text="small letters, digits and hyphens; once a playbook")
    in_state = forms.ChoiceField(
        label="While the case is", choices=[s for s in STATE_WORDS.items() if s[0] != "closed"]
    )
    action = forms.ChoiceField(label="Do")
    after = forms.CharField(max_length=40, required=False, label="After", help_text=f"{SPAN_HINT}; empty: at once")
    working = forms.BooleanField(required=False, label="Count working hours only")
    case_age = forms.CharField(
        max_length=40, required=False, label="Not before the case is this old", help_text=SPAN_HINT
    )
    only_in = forms.BooleanField(required=False, label="In working hours only")

    def __init__(self, *args: Any, document: Mapping[str, Any], row: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"initial": initial_of(row)})
        self.checks = [step["id"] for step in document["steps"] if step.get("action") == "check"]
        actions = self.fields["action"]
        assert isinstance(actions, forms.ChoiceField)
        actions.choices = [(name, name.replace("_", " ")) for name in by_name(load_actions())]
        for name, condition in CONDITIONS.items():
            if condition.shape != "verdicts":
                label = CONDITION_WORDS[name].label
                self.fields[f"c_{name}"] = condition_field(condition.shape, label, self.checks)
        for check in self.checks:
            choices = [ANY, *words_of(Verdict)]
            self.fields[f"v_{check}"] = forms.ChoiceField(
                choices=choices, required=False, label=f"Step {check} came out"
            )
        for parameter in (each for parameters in PARAMETERS.values() for each in parameters):
            self.fields.setdefault(f"p_{parameter.name}", parameter_field(parameter))
        for parameter in self.parameters():  # the same name may have another label for another action
            self.fields[f"p_{parameter.name}"].label = parameter.label

    @property
    def chosen(self) -> str:
        """The action whose fields are shown: what was chosen last, however it was sent."""
        return str(self["action"].value() or next(iter(PARAMETERS)))

    def parameters(self) -> Sequence[Parameter]:
        return PARAMETERS.get(self.chosen, ())

    def shown_parameters(self) -> list[forms.BoundField]:
        return [self[f"p_{parameter.name}"] for parameter in self.parameters()]

    def kept_parameters(self) -> list[tuple[str, str]]:
        """What was typed for another action: sent along unseen, so that going back finds it again."""
        shown = {f"p_{parameter.name}" for parameter in self.parameters()}
        names = [name for name in self.fields if name.startswith("p_") and name not in shown]
        return [(name, str(value)) for name in names for value in as_list(self[name].value())]

    def conditions(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(("c_", "v_")) and not self.is_set(name)]

    def sets(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("c_") and self.is_set(name)]

    def is_set(self, name: str) -> bool:
        return isinstance(self.fields[name], forms.MultipleChoiceField)

    def clean_id(self) -> str:
        found = str(self.cleaned_data["id"])
        if not STEP_ID.fullmatch(found):
            raise forms.ValidationError("A name is of small letters, digits and hyphens, and begins with a letter.")
        return found

    def clean_after(self) -> str:
        return clean_span(self.cleaned_data["after"])

    def clean_case_age(self) -> str:
        return clean_span(self.cleaned_data["case_age"])

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for parameter in self.parameters():
            try:
                check_parameter(parameter, found.get(f"p_{parameter.name}"))
            except BadPlaybook as exc:
                self.add_error(f"p_{parameter.name}", f"{str(exc).partition(': ')[2].capitalize()}.")
        if not self.errors:
            self.check_whole()
        return found

    def check_whole(self) -> None:
        try:
            check_parameters(parse_step(self.to_row(), by_name(load_actions())))
        except BadPlaybook as exc:
            _, field, problem = (*str(exc).split(": ", 2), "", "")[:3]
            self.add_error(f"p_{field}" if f"p_{field}" in self.fields else None, f"{problem or field}.")

    def to_row(self) -> dict[str, Any]:
        given = self.cleaned_data
        row = {"id": given["id"], "in_state": given["in_state"], "action": given["action"]}
        if given["after"]:
            row["after"] = given["after"] + (WORKING if given["working"] else "")
        if given["case_age"]:
            row["case_age"] = given["case_age"]
        if given["only_in"]:
            row["only_in"] = WORKING_HOURS
        if when := self.when():
            row["when"] = when
        params = {parameter.name: given.get(f"p_{parameter.name}") for parameter in self.parameters()}
        if kept := {name: value for name, value in params.items() if value not in ("", None, [], False)}:
            row["with"] = kept
        return row

    def when(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, condition in CONDITIONS.items():
            value = self.cleaned_data.get(f"c_{name}")
            if value not in ("", None, []):
                found[name] = plain(condition.shape, value)
        verdicts = {check: self.cleaned_data.get(f"v_{check}") for check in self.checks}
        if known := {check: verdict for check, verdict in verdicts.items() if verdict}:
            found["verdict"] = known
        return found


def plain(shape: str, value: Any) -> Any:
    if shape in ("bool", "tristate"):
        return TRUTHS[value]
    return int(value) if shape == "number" and value == int(value) else value


def clean_span(text: str) -> str:
    text = text.strip()
    try:
        if text:
            parse_span(text)
    except (BadPlaybook, OverflowError) as exc:
        raise forms.ValidationError(f"{exc}.") from exc
    return text


def as_list(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        return value
    return [value] if value not in (None, "", False) else []


def initial_of(row: Mapping[str, Any]) -> dict[str, Any]:
    after = str(row.get("after", ""))
    found = {name: row.get(name, "") for name in ("id", "in_state", "action", "case_age")}
    found |= {"after": after.removesuffix(WORKING), "working": after.endswith(WORKING), "only_in": "only_in" in row}
    spoken = {True: "true", False: "false", None: "null"}
    for name, value in row.get("when", {}).items():
        is_word = CONDITIONS[name].shape in ("bool", "tristate")
        found[f"c_{name}"] = spoken[value] if is_word else value
    found |= {f"v_{check}": verdict for check, verdict in row.get("when", {}).get("verdict", {}).items()}
    return found | {f"p_{name}": value for name, value in row.get("with", {}).items()}


class AboutForm(forms.Form):
    title = forms.CharField(max_length=MOST_TITLE, required=False)
    note = forms.CharField(max_length=MOST_NOTE, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, document: Mapping[str, Any], **kwargs: Any) -> None:
        initial = {"title": document.get("title", ""), "note": document.get("note", "")}
        initial |= {f"for_{field}": names for field, names in document.get("for", {}).items()}
        super().__init__(*args, **kwargs | {"initial": initial})
        for field, kind in AUDIENCE.items():
            self.fields[f"for_{field}"] = forms.MultipleChoiceField(
                choices=words_of(kind),
                widget=forms.CheckboxSelectMultiple,
                required=False,
                label=f"Where the {field} is",
            )

    def audience(self) -> list[forms.BoundField]:
        return [self[f"for_{field}"] for field in AUDIENCE]

    def to_document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        given = self.cleaned_data
        audience = {field: given[f"for_{field}"] for field in AUDIENCE if given[f"for_{field}"]}
        found = {"name": document["name"], "title": given["title"], "note": given["note"], "for": audience}
        return {field: value for field, value in found.items() if value} | {"steps": document["steps"]}
