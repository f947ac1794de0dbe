"""What an analyst can do to a case: one small view each, by POST, then back to the case.

A page that is older than the case changes nothing: the form carries the `stay` it was drawn after.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints.cases.mentions import asked_in
from complaints.cases.states import may_move
from complaints.cases.transitions import IllegalTransition, StaleCase
from complaints.checking import addresses_of, queue_check
from complaints.checks import load_checks
from complaints.desk.access import access_case, may
from complaints.desk.case_acts import act
from complaints.desk.case_page import show_case
from complaints.desk.forms import CloseForm, NoteForm, StayForm
from complaints.desk.telling import NobodyToTell, tell_customer
from complaints.desk.words import STATES
from complaints.interacting import NothingToDo, Wish, problems_of, stored
from complaints.models import Case, CheckRun, DeskActionCase
from complaints.tasks import advance_cases, wake, wake_checks
from complaints.vocabulary import CaseState

MOVED_ON = (
    "Nothing was changed: somebody else moved this case since you opened the page. Look at it again, then decide."
)
TAKEN = "Nothing was changed: since you opened the page the case was assigned anew, and is with {} now."
UNFINISHED = (CheckRun.State.QUEUED, CheckRun.State.RUNNING, CheckRun.State.WAITING)
Action = Callable[[HttpRequest, Case], HttpResponse | None]


def case_action(action: Action) -> Callable[..., HttpResponseBase]:
    """A POST on a case the user may see; the refusals of the verbs become messages. None: back to the case."""
    return case_action_of("work_cases")(action)


def case_action_of(capability: str) -> Callable[[Action], Callable[..., HttpResponseBase]]:
    """As case_action, for those who have another capability than to work on cases."""

    def guard(action: Action) -> Callable[..., HttpResponseBase]:
        @require_POST
        @wraps(action)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            case = access_case(request.user, pk)
            try:
                answer = action(request, case)
            except StaleCase:
                messages.error(request, MOVED_ON)
                return show_case(request, access_case(request.user, pk), status=409)
            except NothingToDo as exc:
                messages.error(request, f"Nothing was done. {exc}")
                return show_case(request, access_case(request.user, pk), status=409)
            except (IllegalTransition, NobodyToTell) as exc:
                messages.error(request, str(exc))
                return show_case(request, access_case(request.user, pk), status=409)
            return answer or redirect("desk:case", pk)

        return may("see_cases", to_post=capability)(view)

    return guard


def refuse_stale(request: HttpRequest, case: Case) -> None:
    """Raises StaleCase when the page was drawn before the case's last move, or does not say when."""
    form = StayForm(request.POST)
    if not form.is_valid() or form.cleaned_data["stay"] != case.stay:
        raise StaleCase(f"case {case.number}: the page is older than the case")


@case_action
def notify(request: HttpRequest, case: Case) -> None:
    refuse_stale(request, case)
    if tell_customer(case, actor=request.user.get_username(), now=timezone.now()):
        messages.success(request, f"A mail to {case.owner.get('contact_email')} is on its way.")
    else:
        messages.info(request, "This customer was already reminded since the last notice. Nothing was sent.")
    wake(advance_cases, [case.pk])


@case_action
def verify(request: HttpRequest, case: Case) -> None:
    """Treat it as fixed, as when the customer says so: the playbook checks, and closes only on proof."""
    refuse_stale(request, case)
    wish = Wish(to=CaseState.VERIFYING, reason="The desk has the fix verified")
    if problems := problems_of(case, wish, actor=request.user.get_username(), names=STATES.__getitem__):
        raise NothingToDo(" ".join(problems))
    act(request, case, "interact", stored(wish))


@case_action
def check_again(request: HttpRequest, case: Case) -> None:
    now = timezone.now()
    if case.state == CaseState.CLOSED:
        raise IllegalTransition("A closed case is not checked again. New evidence opens a new one.")
    running = case.checks.filter(state__in=UNFINISHED).values_list("check_name", "address")
    under_way = {(name, bytes(address)) for name, address in running}
    wanted = [(check.NAME, address) for address in addresses_of(case) for check in load_checks()]
    runs = [
        queue_check(
            case, name, address, occasion=f"desk-{now:%Y%m%dT%H%M%S}", now=now, actor=request.user.get_username()
        )
        for name, address in wanted
        if (name, address) not in under_way
    ]
    if under_way:
        messages.info(request, "A check is under way already. Its result appears here.")
    wake_checks([run.pk for run in runs if run.state == CheckRun.State.QUEUED])
    tell_runs(request, runs, nothing_to_check=not wanted)


def tell_runs(request: HttpRequest, runs: list[CheckRun], *, nothing_to_check: bool) -> None:
    refused = [run for run in runs if run.state == CheckRun.State.REFUSED]
    if nothing_to_check:
        messages.error(request, "This case names no address, so there is nothing to check.")
    if len(refused) < len(runs):
        messages.success(request, "The checks are running. Their results appear here.")
    for run in refused:
        messages.warning(request, f"{run.check_name} check of {run.address_text} refused: {run.reason}")


@case_action
def assign(request: HttpRequest, case: Case) -> HttpResponse | None:
    """The form carries whose the case `was` on the page: what a colleague has taken meanwhile is not taken unseen."""
    user, was = request.user, request.POST.get("was", "")
    assert user.is_authenticated
    seen = int(was) if was.isascii() and was.isdigit() and len(was) < 19 else 0  # nobody's number is 0
    to = "" if request.POST.get("to") == "nobody" else user.username
    done = act(request, case, "assign", {"to": to, "was": seen if was else None})
    if done.state == DeskActionCase.State.LEFT_OUT:
        case = access_case(user, case.pk)
        messages.error(request, TAKEN.format(case.assignee or "nobody"))
        return show_case(request, case, status=409)
    if case.assignee_id and case.assignee_id != user.pk:
        messages.success(request, f"You took this case over from {case.assignee}.")
    return None


@case_action
def note(request: HttpRequest, case: Case) -> HttpResponse | None:
    """A note harms nobody, so it is taken from an old page too."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["text"])))
        return show_case(request, case, status=400, note_text=request.POST.get("text", ""))
    text = form.cleaned_data["text"].strip()
    act(request, case, "note", {"text": text})
    tell_asked(request, case, text)
    return None


def tell_asked(request: HttpRequest, case: Case, text: str) -> None:
    """Whom a note will ask, before it does."""
    asked = asked_in(case, text, actor=request.user.get_username())
    if asked.people:
        messages.success(request, f"It asks, by a task: {', '.join(map(str, asked.people))}.")
    if asked.unknown:
        messages.warning(
            request, f"Nobody who may see this case is called {', '.join('@' + name for name in asked.unknown)}."
        )


@may("close_cases")
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST closes: the panel's dialog is the same form."""
    case = access_case(request.user, pk)
    if not may_move(CaseState(case.state), CaseState.CLOSED):
        messages.info(request, f"Case {case.number} is closed already.")
        return redirect("desk:case", pk)
    form = CloseForm(request.POST or None, case=case, initial={"stay": case.stay})
    if request.method != "POST":
        return show_case(request, case, close_form=form, asks=True)
    if not form.is_valid():
        return show_case(request, case, close_form=form, asks=True, status=400)
    given = form.cleaned_data
    try:
        refuse_stale(request, case)
        act(request, case, "close", {"resolution": str(given["resolution"]), "reason": given["reason"]})
    except (StaleCase, NothingToDo) as exc:
        problem = MOVED_ON if isinstance(exc, StaleCase) else f"Nothing was done. {exc}"
        messages.error(request, f"{problem} What you wrote is kept in the form below.")
        return show_case(request, access_case(request.user, pk), close_form=form, asks=True, status=409)
    return redirect("desk:case", pk)
