"""The editor of a draft: one step at a time, without a script. What somebody typed comes back with every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from complaints.desk.access import may
from complaints.desk.playbook_forms import AboutForm, StepForm
from complaints.models import PlaybookVersion
from complaints.playbooks.documents import BadPlaybook
from complaints.playbooks.sentences import STATE_WORDS
from complaints.playbooks.versions import NotNow, StaleDraft, change_draft

State = PlaybookVersion.State
NEW = "new-step"  # in the address, where a step's name stands
STALE = "Somebody else changed the draft meanwhile. What you typed is still here: look at the draft, then save again."


def draft_of(request: HttpRequest, pk: int) -> PlaybookVersion:
    """The draft as it was when the page was drawn."""
    version = get_object_or_404(PlaybookVersion, pk=pk, state=State.DRAFT)
    sent = request.POST.get("revision", "")
    if sent.isascii() and sent.isdigit() and len(sent) < 10:
        version.revision = int(sent)
    return version


@may("edit_playbooks")
@require_http_methods(["GET", "POST"])
def step_page(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    version = draft_of(request, pk)
    steps = version.document["steps"]
    place = next((number for number, step in enumerate(steps) if step["id"] == what), None)
    if place is None and what != NEW:
        raise Http404("no such step")
    row = steps[place] if place is not None else {"in_state": state_asked(request), "action": "check"}
    form = StepForm(request.POST or None, document=version.document, row=row)
    if request.method == "POST" and "fields" not in request.POST and form.is_valid():
        document = with_step(version.document, place, form.to_row())
        if save(request, version, document, form, text=f"step {form.cleaned_data['id']}"):
            return redirect(f"/playbooks/{pk}#step-{form.cleaned_data['id']}")
    context = {
        "nav": "playbooks",
        "version": version,
        "form": form,
        "what": what,
        "is_new": place is None,
        "check_errors": "fields" not in request.POST,
        "revision": PlaybookVersion.objects.values_list("revision", flat=True).get(pk=pk),
    }
    return render(request, "desk/playbook_step.html", context)


def state_asked(request: HttpRequest) -> str:
    asked = request.GET.get("state", "")
    return asked if asked in STATE_WORDS else "investigating"


def with_step(document: Mapping[str, Any], place: int | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the step changed; a new one goes behind the last of its state. A new name is told to others."""
    steps = [dict(step) for step in document["steps"]]
    if place is not None:
        was, steps[place] = steps[place]["id"], dict(row)
        steps = [renamed(step, was, row["id"]) for step in steps]
    else:
        last = max((n for n, step in enumerate(steps) if step["in_state"] == row["in_state"]), default=len(steps) - 1)
        steps.insert(last + 1, dict(row))
    return {**document, "steps": steps}


def renamed(step: dict[str, Any], was: str, name: str) -> dict[str, Any]:
    when = dict(step.get("when", {}))
    if when.get("finished") == was:
        when["finished"] = name
    if was in when.get("verdict", {}):
        when["verdict"] = {name if key == was else key: value for key, value in when["verdict"].items()}
    return {**step, "when": when} if when else step


def save(
    request: HttpRequest, version: PlaybookVersion, document: Mapping[str, Any], form: forms.Form, *, text: str
) -> bool:
    try:
        change_draft(version, document, actor=request.user.get_username(), now=timezone.now(), text=text)
    except StaleDraft:
        form.add_error(None, STALE)
        return False
    except (BadPlaybook, NotNow) as exc:
        form.add_error(None, f"{exc}.")
        return False
    messages.success(request, "Saved in the draft.")
    return True


@may("edit_playbooks")
@require_http_methods(["GET", "POST"])
def about_page(request: HttpRequest, pk: int) -> HttpResponse:
    version = draft_of(request, pk)
    form = AboutForm(request.POST or None, document=version.document)
    about = "title, note and for"
    if form.is_valid() and save(request, version, form.to_document(version.document), form, text=about):
        return redirect("desk:playbook", pk)
    revision = PlaybookVersion.objects.values_list("revision", flat=True).get(pk=pk)
    context = {"nav": "playbooks", "version": version, "form": form, "revision": revision}
    return render(request, "desk/playbook_about.html", context)


@may("edit_playbooks")
@require_POST
def step_act(request: HttpRequest, pk: int, what: str, verb: str) -> HttpResponse:
    """Up, down and remove: one button each. Up and down go past the neighbour in the same state."""
    version = draft_of(request, pk)
    steps = list(version.document["steps"])
    place = next((number for number, step in enumerate(steps) if step["id"] == what), None)
    if place is None or verb not in ("up", "down", "remove"):
        messages.error(request, "Nothing was done: that step is not there any more.")
        return redirect("desk:playbook", pk)
    if verb == "remove":
        del steps[place]
    elif (other := neighbour(steps, place, verb)) is not None:
        steps[place], steps[other] = steps[other], steps[place]
    try:
        text = f"step {what} {'removed' if verb == 'remove' else 'moved ' + verb}"
        document = {**version.document, "steps": steps}
        change_draft(version, document, actor=request.user.get_username(), now=timezone.now(), text=text)
    except (BadPlaybook, NotNow) as exc:
        messages.error(request, f"{exc}.")
    anchor = f"#step-{what}" if verb != "remove" else f"#state-{version.document['steps'][0]['in_state']}"
    return redirect(f"/playbooks/{pk}{anchor}")


def neighbour(steps: list[dict[str, Any]], place: int, verb: str) -> int | None:
    state = steps[place]["in_state"]
    same = [number for number, step in enumerate(steps) if step["in_state"] == state]
    at = same.index(place) + (-1 if verb == "up" else 1)
    return same[at] if 0 <= at < len(same) else None
