"""The weights of the priority: what each is worth, what the queue would be with others, and who changed them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from complaints.cases.accusations import NO_CASE
from complaints.cases.reweighing import Place, StaleWeights, save_weights, try_weights, weights_now
from complaints.cases.weights import DEFAULTS, GROUPS, SETTINGS, BadWeight, Setting, kept_weights, read_weights
from complaints.desk import when
from complaints.desk.access import can, may
from complaints.models import PriorityWeights
from complaints.tasks import reweigh_cases, wake

MOST_VERSIONS = 20
SILENT = {f"severity.{category}" for category in NO_CASE}  # they open no case, so there is nothing to weigh


def field_name(name: str) -> str:
    return "w-" + name.replace(".", "-")


class WeightsForm(forms.Form):
    """One number a weight, and why."""

    reason = forms.CharField(label="Why", max_length=500, widget=forms.Textarea({"rows": 2}), required=False)

    def __init__(self, *args: Any, points: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = points
        for name, setting in SETTINGS.items():
            if name in SILENT:
                continue
            self.fields[field_name(name)] = forms.IntegerField(
                label=setting.title, min_value=0, max_value=setting.most, initial=points[name],
                help_text=hint_of(setting),
            )  # fmt: skip

    @property
    def points(self) -> dict[str, int]:
        given = {name: self.cleaned_data[field_name(name)] for name in SETTINGS if name not in SILENT}
        return read_weights(self.kept | given)

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        shown = [(title, [each.name for each in group if each.name not in SILENT]) for title, group in GROUPS]
        return [(title, [self[field_name(name)] for name in names]) for title, names in shown]


def hint_of(setting: Setting) -> str:
    return f"{setting.meaning}{'. ' if setting.meaning else ''}0 to {setting.most}; shipped: {setting.default}"


@may("see_reports", to_post="edit_weights")
@require_http_methods(["GET", "POST"])
def priority_page(request: HttpRequest) -> HttpResponse:
    """GET shows the weights that hold; POST tries others on the queue (do=try), or lets them hold (do=save)."""
    number, points = weights_now()
    form = WeightsForm(request.POST or None, points=points)
    if request.method == "GET" or not form.is_valid():
        return shown(request, form, number)
    if request.POST.get("do") != "save":
        return shown(request, form, number, tried(form.points))
    if not form.cleaned_data["reason"].strip():
        form.add_error("reason", "Say why: it stands in the history")
        return shown(request, form, number, tried(form.points))
    return save(request, form, number)


def save(request: HttpRequest, form: WeightsForm, number: int) -> HttpResponse:
    looked_at = request.POST.get("number", "")
    try:
        version = save_weights(
            form.points,
            instead_of=int(looked_at) if looked_at.isascii() and looked_at.isdigit() and len(looked_at) < 9 else -1,
            actor=request.user.get_username(),
            reason=form.cleaned_data["reason"].strip(),
            now=timezone.now(),
        )
    except (BadWeight, StaleWeights) as exc:
        messages.error(request, f"Nothing was saved: {exc}.")
        return shown(request, form, number, tried(form.points))
    wake(reweigh_cases, [version.pk])
    messages.success(request, f"Version {version.number} holds. The open cases are being weighed anew.")
    return redirect("desk:priority")


def tried(points: dict[str, int]) -> dict[str, Any]:
    places, looked_at = try_weights(points)
    return {"tried": True, "places": [place_row(each) for each in places], "looked_at": looked_at}


def place_row(each: Place) -> dict[str, Any]:
    up = each.up
    sign, word = ("▲", "up") if up > 0 else ("▼", "down") if up < 0 else ("", "")
    return {"place": each, "sign": sign, "word": word, "by": abs(up), "change": each.points - each.points_were}


def shown(request: HttpRequest, form: WeightsForm, number: int, found: dict[str, Any] | None = None) -> HttpResponse:
    context = {
        "nav": "priority",
        "form": form,
        "number": number,
        "versions": versions(),
        "may_edit": can(request.user, "edit_weights"),
        **(found or {}),
    }
    return render(request, "desk/priority.html", context)


def versions() -> list[dict[str, Any]]:
    """The newest, each with what it changed against the one before it."""
    rows, now = list(PriorityWeights.objects.all()[: MOST_VERSIONS + 1]), timezone.now()
    documents = [kept_weights(row.document) for row in rows] + [dict(DEFAULTS)]
    return [
        {
            "version": row,
            "age": when.age(row.created_at, now),
            "changes": changes(documents[place + 1], documents[place]),
        }
        for place, row in enumerate(rows[:MOST_VERSIONS])
    ]


def changes(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return [
        f"{SETTINGS[name].title}: {before[name]} → {after[name]}" for name in SETTINGS if before[name] != after[name]
    ]
