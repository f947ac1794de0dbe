"""The supervisor's pages of playbooks: what rules cases, in words and as a picture, and who made it so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.desk import when
from complaints.desk.access import confirmed, may
from complaints.desk.words import Word
from complaints.models import PlaybookChange, PlaybookVersion
from complaints.playbooks.differences import differences
from complaints.playbooks.documents import BadPlaybook, Step
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.parameters import suspends
from complaints.playbooks.picture import draw
from complaints.playbooks.sentences import STATE_WORDS, audience_words, instruction
from complaints.playbooks.versions import (
    COUNTED,
    NotNow,
    activate,
    authors,
    checked,
    discard_draft,
    make_draft,
    open_cases,
    retire,
    second,
    steps_of_version,
)
from complaints.playbooks.yaml_text import MOST_BYTES, read_yaml, write_yaml

MOST_VERSIONS, MOST_CHANGES = 100, 50
State = PlaybookVersion.State
STATE_CHIPS = {
    State.DRAFT: Word("draft", "warn", "Rules no case until it is activated"),
    State.ACTIVE: Word("active", "good", "New cases follow it"),
    State.DRAINING: Word("draining", "", "Only the cases that began with it follow it"),
}
DONE = Word("done", "", "No open case follows it any more")


@may("see_playbooks", to_post="edit_playbooks")
@require_GET
def playbooks_page(request: HttpRequest) -> HttpResponse:
    begin_with_shipped(now=timezone.now())
    versions = list(PlaybookVersion.objects.exclude(state=State.DRAINING).order_by("name", "number"))
    draining = PlaybookVersion.objects.filter(state=State.DRAINING).order_by("-number", "name")[:MOST_VERSIONS]
    counts = open_cases([*versions, *draining])
    versions += [version for version in draining if counts[version.pk]]
    rows = [row(version, counts[version.pk]) for version in sorted(versions, key=lambda each: (each.name, each.number))]
    return render(request, "desk/playbooks.html", {"nav": "playbooks", "rows": rows, "most_bytes": MOST_BYTES})


def row(version: PlaybookVersion, count: int) -> dict[str, Any]:
    return {
        "version": version,
        "title": version.document.get("title") or version.name,
        "audience": audience_words(version.document),
        "word": DONE if version.state == State.DRAINING and not count else STATE_CHIPS[State(version.state)],
        "count": f"{COUNTED} or more" if count == COUNTED else count,
    }


@may("see_playbooks", to_post="edit_playbooks")
@require_GET
def playbook_page(request: HttpRequest, pk: int) -> HttpResponse:
    version = get_object_or_404(PlaybookVersion, pk=pk)
    steps = steps_of_version(version)
    context = {
        "nav": "playbooks",
        **row(version, open_cases([version])[version.pk]),
        "is_draft": version.state == State.DRAFT,
        "states": by_state(steps),
        "picture": draw(steps),
        "suspends": any(suspends(step) for step in steps),
        "may_second": version.state != State.DRAINING and request.user.get_username() not in authors(version),
        **history(request, version, steps),
    }
    return render(request, "desk/playbook.html", context)


def by_state(steps: list[Step]) -> list[dict[str, Any]]:
    """Every state in the order of a case's life, with its steps as instructions."""
    return [
        {
            "state": state,
            "title": title,
            "steps": [(step, instruction(step)) for step in steps if step.in_state == state],
        }
        for state, title in STATE_WORDS.items()
        if state != "closed"
    ]


def history(request: HttpRequest, version: PlaybookVersion, steps: list[Step]) -> dict[str, Any]:
    """The other versions, who did what, and the difference to one of them: that before it, if none is asked for."""
    others = list(PlaybookVersion.objects.filter(name=version.name).order_by("-number")[:MOST_VERSIONS])
    asked = request.GET.get("against", "")
    earlier = [other for other in others if other.number < version.number]
    against = next((other for other in others if str(other.pk) == asked), earlier[0] if earlier else None)
    now = timezone.now()
    return {
        "others": [other for other in others if other.pk != version.pk],
        "against": against,
        "differences": against and differences(against.document, steps_of_version(against), version.document, steps),
        "changes": [
            {"change": change, "age": when.age(change.at, now)}
            for change in PlaybookChange.objects.filter(name=version.name)[:MOST_CHANGES]
        ],
    }


@may("see_playbooks", to_post="edit_playbooks")
@require_GET
def playbook_yaml(request: HttpRequest, pk: int) -> HttpResponse:
    version = get_object_or_404(PlaybookVersion, pk=pk)
    response = HttpResponse(write_yaml(version.document), content_type="application/yaml; charset=utf-8")
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in version.name)
    response["Content-Disposition"] = f'attachment; filename="{name}-v{version.number}.yaml"'
    return response


@may("see_playbooks", to_post="edit_playbooks")
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """A YAML file becomes a draft of its name; the draft that is there stays, and says so."""
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, "Choose a file first.")
        return redirect("desk:playbooks")
    try:
        document = read_yaml(file.read(MOST_BYTES + 1), checked)
        version = make_draft(document, actor=request.user.get_username(), now=timezone.now(), text="from a YAML file")
    except (BadPlaybook, NotNow) as exc:
        messages.error(request, f"{file.name}: {exc}.")
        return redirect("desk:playbooks")
    messages.success(request, f"{version} is a draft now.")
    return redirect("desk:playbook", version.pk)


@may("see_playbooks", to_post="edit_playbooks")
@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft that begins as this version is."""
    version = get_object_or_404(PlaybookVersion, pk=pk)
    there = PlaybookVersion.objects.filter(name=version.name, state=State.DRAFT).first()
    if there is None:
        try:
            text = f"from version {version.number}"
            there = make_draft(version.document, actor=request.user.get_username(), now=timezone.now(), text=text)
        except (BadPlaybook, NotNow) as exc:
            messages.error(request, f"{exc}.")
            return redirect("desk:playbook", pk)
    else:
        messages.info(request, "There is a draft already: here it is.")
    return redirect("desk:playbook", there.pk)


Verb = Callable[..., None]
# verb → (what it does, what is said of it)
VERBS: dict[str, tuple[Verb, str]] = {
    "activate": (activate, "{} is active: new cases follow it."),
    "second": (second, "You agreed to {}."),
    "retire": (retire, "{} drains: no new case follows it."),
    "discard": (discard_draft, "The draft {} is thrown away."),
}


@may("see_playbooks", to_post="edit_playbooks")
@require_POST
@confirmed
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    version = get_object_or_404(PlaybookVersion, pk=pk)
    revision = request.POST.get("revision", "")
    if verb not in VERBS or not revision.isascii() or not revision.isdigit() or len(revision) > 9:
        messages.error(request, "Nothing was done: the page was incomplete. Look again and press the button once more.")
        return redirect("desk:playbook", pk)
    version.revision = int(revision)  # of the page that was looked at
    return carried_out(request, version, verb, now=timezone.now())


def carried_out(request: HttpRequest, version: PlaybookVersion, verb: str, *, now: datetime) -> HttpResponse:
    function, words = VERBS[verb]
    try:
        function(version, actor=request.user.get_username(), now=now)
    except (BadPlaybook, NotNow) as exc:
        messages.error(request, f"{exc}.")
        return redirect("desk:playbook", version.pk)
    messages.success(request, words.format(version))
    return redirect("desk:playbooks") if verb == "discard" else redirect("desk:playbook", version.pk)
