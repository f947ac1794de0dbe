"""Teaching how a sender's mail is read: marked on one mail, tried on the stored ones, put in use or thrown away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints import teaching
from complaints.desk import when, words
from complaints.desk.access import access_message, may
from complaints.desk.evidence import show_message
from complaints.formats.taught import FIELDS
from complaints.models import SenderRule
from complaints.pipeline import queue_again
from complaints.tasks import process_messages, wake
from complaints.vocabulary import Category

TITLES = {
    "source_ip": "Address",
    "source_port": "Source port",
    "arrival_date": "Time",
    "reported_uri": "Page",
    "original_subject": "Subject of the mail",
    "original_mail_from": "Envelope sender",
}
STATES = {
    "draft": words.Word("being tried", "warn"),
    "active": words.Word("in use", "good"),
    "retired": words.Word("out of use"),
}
MOST = 200


@may("see_network", to_post="edit_rules")
@require_POST
def teach(request: HttpRequest, pk: int) -> HttpResponse:
    message = access_message(request.user, pk)
    fields = {
        name: {"before": request.POST.get(f"before_{name}", ""), "pattern": request.POST.get(f"pattern_{name}", "")}
        for name in FIELDS
    }
    category = request.POST.get("category", "")
    replaces = SenderRule.objects.filter(pk=number_of(request.POST.get("replaces", ""))).first()
    try:
        rule = teaching.propose_rule(
            message=message,
            sender=request.POST.get("sender", ""),
            fields=fields,
            category=Category(category) if category in set(Category) else Category.SPAM,
            phrase=request.POST.get("phrase", ""),
            replaces=replaces,
            by=request.user.get_username(),
            now=timezone.now(),
        )
    except teaching.BadRule as exc:
        problems = [
            f"{TITLES.get(name, name.capitalize())}: {text}" if name else text for name, text in exc.problems.items()
        ]
        return show_message(request, message, teach_problems=problems, taught=request.POST, status=422)
    return redirect("desk:sender-rule", rule.pk)


def in_words(name: str, problem: str) -> str:
    return f"{TITLES.get(name, name.capitalize())}: {problem}" if name else problem


def number_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


@may("see_network")
@require_GET
def rules_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    found = SenderRule.objects.order_by("-pk")[:MOST]
    rows = [{"rule": rule, "state": STATES[rule.state], "age": when.age(rule.created_at, now)} for rule in found]
    return render(request, "desk/sender_rules.html", {"nav": "sender-rules", "rows": rows})


@may("see_network")
@require_GET
def rule_page(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(SenderRule.objects.select_related("replaces"), pk=pk)
    tried = teaching.try_rule(rule)
    context = {
        "nav": "sender-rules",
        "rule": rule,
        "state": STATES[rule.state],
        "category": words.CATEGORIES[Category(rule.category)],
        "fields": [(TITLES[name], each) for name, each in rule.fields.items()],
        "tried": [shown(each) for each in tried],
        "reads": sum(bool(each.complaints) for each in tried),
        "others": sum(not each.is_meant for each in tried),
    }
    return render(request, "desk/sender_rule.html", context)


def shown(tried: teaching.Tried) -> dict[str, object]:
    """One stored mail in the table: what the rule finds in it, beside what was read before."""
    found = tried.complaints
    return {
        "message": tried.message,
        "reading": tried.reading,
        "first": found[0] if found else None,
        "more": max(0, len(found) - 1),
        "word": outcome(tried),
        "problem": tried.problem,
        "before": tried.before,
    }


def outcome(tried: teaching.Tried) -> words.Word:
    if tried.problem:
        return words.Word("stopped", "bad")
    if not tried.is_meant:
        return words.Word("not meant")
    if not tried.complaints:
        return words.Word("finds nothing", "bad")
    return words.Word("reads it", "good")


@may("see_network", to_post="edit_rules")
@require_POST
def rule_act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    rule = get_object_or_404(SenderRule, pk=pk)
    who, now = request.user.get_username(), timezone.now()
    if verb == "use" and rule.state == SenderRule.State.RETIRED:
        messages.error(request, "It is out of use. Teach it anew from a mail, and the new version can be put in use.")
        return redirect("desk:sender-rule", pk)
    if verb == "use":
        again = queue_again(teaching.put_in_use(rule, by=who, now=now))
        wake(process_messages, again)
        mails = (
            f" {len(again):,} unread mail{'s are' if len(again) != 1 else ' is'} being read again by it."
            if again
            else ""
        )
        messages.success(request, f"In use for {rule.sender} from now on.{mails}")
        return redirect("desk:sender-rule", pk)
    if verb == "retire" and teaching.retire_rule(rule, by=who, now=now):
        messages.success(request, "Out of use. What it read stays filed.")
    return redirect("desk:sender-rules")
