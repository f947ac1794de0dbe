"""The rules in their order: what each is about, what it decided, who made it so; tried, changed and switched off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from complaints.cases.rule_documents import BadRule
from complaints.cases.rules import StaleRule, add_rule, change_rule, deactivate, file_after_all, file_ids, move_rule
from complaints.cases.rules_trial import Trial
from complaints.desk import rule_words, when
from complaints.desk.access import confirm_first, may
from complaints.desk.lists import page_below
from complaints.desk.rule_form import RuleForm, initial_of, proven_in, token_of, try_on_the_past
from complaints.desk.rule_order import try_change
from complaints.models import Complaint, Rule, RuleChange
from complaints.tasks import advance_cases, wake

MOST_COUNTED = 1000
MOST_CHANGES = 50
rules_desk = may("see_network", to_post="edit_rules")
IGNORED_FOR = timedelta(days=30)


@rules_desk
@require_GET
def rules_page(request: HttpRequest) -> HttpResponse:
    return all_rules(request)


def all_rules(request: HttpRequest, **found: Any) -> HttpResponse:
    """found: a change that was tried and not made, with its trial."""
    now = timezone.now()
    rules = list(Rule.objects.select_related("assignee"))
    counts = decided([rule.pk for rule in rules])
    rows = [row_of(rule, counts, now) | {"place": place} for place, rule in enumerate(rules, start=1)]
    context = {
        "nav": "rules",
        "rows": rows,
        "focus": request.GET.get("at", ""),
    }
    return render(request, "desk/rules.html", context | found)


def row_of(rule: Rule, counts: dict[int, int], now: datetime) -> dict[str, Any]:
    count = counts.get(rule.pk, 0)
    return {
        "rule": rule,
        "kind": rule_words.KINDS[rule.kind],
        "state": rule_words.state_word(rule, now),
        "conditions": rule_words.conditions_words(rule.conditions),
        "effect": rule_words.effect_words(rule),
        "count": f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}",
    }


def decided(rules: list[int]) -> dict[int, int]:
    """How many complaints each has decided, counted to 1,000: by an index of those alone, a hundred rules at once."""
    found: dict[int, int] = {}
    table = connection.ops.quote_name(Complaint._meta.db_table)
    one = f"SELECT %s, COUNT(*) FROM (SELECT 1 FROM {table} WHERE rule_id = %s LIMIT {MOST_COUNTED + 1}) AS few"  # noqa: S608
    with connection.cursor() as cursor:
        for start in range(0, len(rules), 100):
            some = rules[start : start + 100]
            cursor.execute(" UNION ALL ".join([one] * len(some)), [value for pk in some for value in (pk, pk)])
            found |= {int(pk): int(count) for pk, count in cursor.fetchall()}
    return found


@rules_desk
@require_http_methods(["GET", "POST"])
def rule_page(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(Rule.objects.select_related("assignee"), pk=pk)
    return edit(request, rule)


@may("edit_rules")
@require_http_methods(["GET", "POST"])
def new_rule(request: HttpRequest) -> HttpResponse:
    return edit(request, None)


def edit(request: HttpRequest, rule: Rule | None) -> HttpResponse:
    """GET shows it; POST tries it on the past (do=try), keeps it switched off (do=off), or activates it (do=on)."""
    if request.method == "GET":
        asked = {name: request.GET[name] for name in ("reporter", "prefix", "contract", "kind") if name in request.GET}
        return shown(request, rule, RuleForm(initial=initial_of(rule) if rule else {"kind": "ignore"} | asked))
    form, do = RuleForm(request.POST), request.POST.get("do", "try")
    if rule and not same_revision(request, rule):
        messages.error(request, f"“{rule.name}” was changed by somebody else since you opened it: look again.")
        return redirect("desk:rule", rule.pk)
    if not form.is_valid():
        return shown(request, rule, form)
    if do == "off":
        return save(request, rule, form, active=False)
    proven = proven_in(request.POST.get("seen", ""), form.columns, rule)
    if do == "on" and proven is not None and (not proven or request.POST.get("sure")):
        return save(request, rule, form, active=True)
    if do == "on" and proven is None and request.POST.get("seen"):
        messages.info(request, "Not activated yet: it or another rule was changed meanwhile, so it was tried again.")
    return tried(request, rule, form, unsure=do == "on" and bool(proven))


def same_revision(request: HttpRequest, rule: Rule) -> bool:
    return request.POST.get("revision", "") == str(rule.revision)


def tried(request: HttpRequest, rule: Rule | None, form: RuleForm, *, unsure: bool = False) -> HttpResponse:
    first = bool(form.cleaned_data.get("first"))
    trial = try_on_the_past(form.columns, rule, first=first, now=timezone.now())
    found = {
        "trial": trial,
        "seen": token_of(form.columns, rule, trial),
        "unsure": unsure,
        "cases": [{"case": case, "proven": case.pk in set(trial.proven)} for case in trial.cases],
    }
    return shown(request, rule, form, found)


def shown(request: HttpRequest, rule: Rule | None, form: RuleForm, found: dict[str, Any] | None = None) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "nav": "rules",
        "rule": rule,
        "form": form,
        **(found or {}),
    }
    if rule:
        context |= row_of(rule, decided([rule.pk]), now) | history(request, rule, now)
    return render(request, "desk/rule.html", context)


def history(request: HttpRequest, rule: Rule, now: datetime) -> dict[str, Any]:
    """Who did what to it, and the youngest complaints that it decided."""
    mine = Complaint.objects.filter(rule=rule).select_related("reporter", "case").defer("evidence")
    complaints, more = page_below(mine, "id", request.GET.get("below"), page=20)
    changes = RuleChange.objects.filter(rule=rule)[:MOST_CHANGES]
    return {
        "complaints": [{"complaint": each, "age": when.age(each.received_at, now)} for each in complaints],
        "next": f"?below={complaints[-1].pk}#decided" if more else "",
        "changes": [{"change": each, "age": when.age(each.at, now)} for each in changes],
        "kept_out": Complaint.objects.filter(rule=rule, case=None).exclude(ruling="").exists(),
    }


def save(request: HttpRequest, rule: Rule | None, form: RuleForm, *, active: bool) -> HttpResponse:
    who, now = request.user.get_username(), timezone.now()
    document = form.columns | {"conditions": form.columns["conditions"]}
    try:
        if rule is None:
            first = bool(form.cleaned_data.get("first"))
            rule = add_rule(document, actor=who, now=now, active=active, first=first)
        else:
            change_rule(rule, document, actor=who, now=now, active=active)
    except (BadRule, StaleRule) as exc:
        messages.error(request, f"{exc}.")
        return shown(request, rule, form)
    what = "is active: it decides from the next complaint on." if active else "is kept, and switched off."
    messages.success(request, f"“{rule.name}” {what}")
    return redirect(f"{reverse('desk:rules')}?at={rule.pk}#rule-{rule.pk}")


def move_up(request: HttpRequest, rule: Rule) -> None:
    move(request, rule, -1)


def move_down(request: HttpRequest, rule: Rule) -> None:
    move(request, rule, 1)


def move(request: HttpRequest, rule: Rule, by: int) -> None:
    if not move_rule(rule, by=by, actor=request.user.get_username(), now=timezone.now()):
        messages.info(request, f"“{rule.name}” stands at the end already.")


def switch_off(request: HttpRequest, rule: Rule) -> None:
    why = request.POST.get("why", "").strip()[:500]
    deactivate(rule, actor=request.user.get_username(), now=timezone.now(), why=why)
    messages.success(request, f"“{rule.name}” is off. What it decided stays as it is.")


def bring_back(request: HttpRequest, rule: Rule) -> None:
    """File what it kept out: of the last 30 days, for what is older is no news."""
    now = timezone.now()
    filed, cases = file_after_all(rule, since=now - IGNORED_FOR, actor=request.user.get_username(), now=now)
    wake(advance_cases, cases)
    words = "1 complaint was filed" if filed == 1 else f"{filed:,} complaints were filed"
    messages.success(request, f"{words} after all, in {len(cases):,} case{'' if len(cases) == 1 else 's'}.")


VERBS: dict[str, Callable[[HttpRequest, Rule], None]] = {
    "up": move_up, "down": move_down, "off": switch_off, "file": bring_back,
}  # fmt: skip


CHANGES = {"up": "Moving it up", "down": "Moving it down", "off": "Switching it off"}


def outcome(trial: Trial) -> str:
    fewer = f"{len(trial.fewer):,} case{'s' if len(trial.fewer) > 1 else ''} fewer" if trial.fewer else ""
    more = f"about {trial.more:,} case{'s' if trial.more > 1 else ''} more" if trial.more else ""
    return " and ".join(each for each in (fewer, more) if each)


@rules_desk
@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if verb == "file":
        confirm_first(request)  # thousands of complaints may open cases, and their customers are written to
    rule = get_object_or_404(Rule, pk=pk)
    if verb not in VERBS or (verb == "off" and not same_revision(request, rule)):
        messages.error(request, "Nothing was done: the page was older than the rule. Look again.")
        return redirect("desk:rules")
    if verb == "file":
        VERBS[verb](request, rule)
        return redirect("desk:rule", pk)
    trial = try_change(rule, verb, now=timezone.now())
    if trial and trial.proven and not request.POST.get("sure"):
        cases = [{"case": case, "proven": case.pk in set(trial.proven)} for case in trial.cases]
        return all_rules(request, trial=trial, cases=cases, changed=rule, verb=verb, change=CHANGES[verb])
    VERBS[verb](request, rule)
    if trial and (trial.fewer or trial.more):
        messages.info(request, f"So it would have been on the past: {outcome(trial)}.")
    # No fragment where a button is to keep the focus: a browser then focuses nothing by itself.
    where = "" if verb in ("up", "down") else f"#rule-{pk}"
    return redirect(f"{reverse('desk:rules')}?at={pk}.{verb}{where}")


@rules_desk
@require_POST
def ignore_reporter(request: HttpRequest, pk: int) -> HttpResponse:
    """One click at a complaint: nothing of its reporter opens a case for 30 days, unless some of it was proven."""
    complaint = get_object_or_404(Complaint.objects.select_related("reporter"), pk=pk)
    if complaint.reporter is None:
        messages.error(request, "This complaint names no reporter, so there is nobody to ignore.")
        return redirect("desk:message", complaint.message_id)
    now = timezone.now()
    given = {
        "name": f"Ignore {complaint.reporter.address}"[:120],
        "reason": f"Asked for at complaint {complaint.pk}",
        "kind": "ignore",
        "reporter": complaint.reporter.address,
        "until": timezone.localtime(now + IGNORED_FOR).date().isoformat(),
    }
    form = RuleForm(given)
    if not form.is_valid():
        return shown(request, None, form)
    trial = try_on_the_past(form.columns, None, first=False, now=now)
    if trial.proven:
        messages.warning(request, "Not done yet: some of what they reported was proven true. Look at it first.")
        return tried(request, None, form)
    return save(request, None, form, active=True)


@rules_desk
@require_POST
def file_one(request: HttpRequest, pk: int) -> HttpResponse:
    """A complaint that a rule kept out, filed after all."""
    complaint = get_object_or_404(Complaint, pk=pk)
    filed, cases = file_ids([complaint.pk], now=timezone.now())
    wake(advance_cases, cases)
    if cases:
        messages.success(request, "It is filed in a case now.")
    elif filed:
        messages.info(
            request, "The rule is lifted from it. Nobody is known to accuse, so it stands among the unattributed."
        )
    else:
        messages.info(request, "Nothing was changed: no rule keeps it out any more.")
    return redirect(f"{reverse('desk:message', args=[complaint.message_id])}#complaint-{complaint.pk}")
