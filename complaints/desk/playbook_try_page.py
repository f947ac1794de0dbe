"""The dry run of a playbook: what it would have done with past cases."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from complaints.desk.access import may
from complaints.models import PlaybookVersion
from complaints.playbooks.comparing import LAG, Compared, pairs
from complaints.playbooks.dry_run import DAYS, dry_run
from complaints.playbooks.record import Happening
from complaints.playbooks.sentences import CHECK_WORDS, LETTER_WORDS, MEASURE_WORDS, STATE_WORDS

CHOICES = (7, 30, 90)
MOST_SHOWN = 50
TITLES = {"letter": "Letter", "check": "Check", "measure": "Measure", "move": "Moved to", "task": "Task of step"}
WORDS = {"letter": LETTER_WORDS, "check": CHECK_WORDS, "measure": MEASURE_WORDS, "move": STATE_WORDS}


@may("see_playbooks", to_post="edit_playbooks")
@require_http_methods(["GET", "POST"])
def try_page(request: HttpRequest, pk: int) -> HttpResponse:
    """POST because it is work, though it changes nothing."""
    version = get_object_or_404(PlaybookVersion, pk=pk)
    asked = request.POST.get("days", "")
    days = next((each for each in CHOICES if str(each) == asked), DAYS)
    context: dict[str, Any] = {"nav": "playbooks", "version": version, "choices": CHOICES, "days": days}
    if request.method == "POST":
        run = dry_run(version, now=timezone.now(), days=days)
        context |= {
            "run": run,
            "changed": [total for total in run.totals if total.did != total.would],
            "stopped": sum(bool(each.stopped) for each in run.compared),
            "shown": [shown(case) for case in run.differing[:MOST_SHOWN]],
        }
    return render(request, "desk/playbook_try.html", context)


def shown(case: Compared) -> dict[str, Any]:
    """Beside each thing that would have happened, whether it did not, or at another time."""
    same = {id(b) for a, b in pairs(case.did, case.would) if a and b and abs(a.at - b.at) <= LAG}
    return {
        "case": case,
        "did": [(each.at, words_of(each)) for each in case.did],
        "would": [(each.at, words_of(each), id(each) not in same) for each in case.would],
    }


def words_of(each: Happening) -> str:
    """Such as "Letter: the reminder"."""
    words = WORDS.get(each.kind, {}).get(each.what, each.what.replace("_", " "))
    return f"{TITLES.get(each.kind, each.kind)}: {words}"
