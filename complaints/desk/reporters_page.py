"""Reporters: who complains how much, how often they were right, and how they are treated; a page each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from complaints.cases.precision import HALF_LIFE, precision
from complaints.cases.reporters import NothingChanged, change_reporter
from complaints.cases.rules_match import names_of
from complaints.cases.voices import voice_of
from complaints.desk import rule_words, when, words
from complaints.desk.access import may
from complaints.desk.lists import page_below
from complaints.desk.watch_chart import chart_of, points_of
from complaints.desk.words import Word
from complaints.models import Complaint, Flood, Reporter, ReporterMail, ReporterTally, Rule
from complaints.models.text import storable
from complaints.vocabulary import Category

PAGE = 50
DAYS = 60  # of the chart
BEFORE = 60  # days before them, from which the band is made
MOST_KINDS, MOST_MAILS, MOST_CHANGES, MOST_FLOODS, MOST_ALIKE = 12, 10, 20, 5, 10
# The filters: name, title, what they leave.
SHOW: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "trusted": ("Trusted", Q(trust=Reporter.Trust.TRUSTED)),
    "distrusted": ("Not trusted", Q(trust=Reporter.Trust.DISTRUSTED)),
    "wrong": ("More often wrong", Q(wrong__gt=F("right"))),
}
TRUST = {
    "": None,
    "trusted": Word("trusted", "good", "A person's word: no limit, and as good as always right"),
    "distrusted": Word("not trusted", "bad", "A person's word: as good as never right"),
}


@may("see_network")
@require_GET
def reporters_page(request: HttpRequest) -> HttpResponse:
    show = request.GET.get("show", "")
    show = show if show in SHOW else ""
    asked = storable(request.GET.get("q", "").strip().lower(), 320)
    found = Reporter.objects.filter(SHOW[show][1])
    if asked:
        found = found.filter(address__contains=asked)
    rows, cursor = page_after(found, request.GET.get("after", ""))
    flooding = set(
        Flood.objects.filter(ended_at=None, sender__in=[row.address for row in rows]).values_list("sender", flat=True)
    )
    kept = {name: value for name, value in (("show", show), ("q", asked)) if value}
    context = {
        "nav": "reporters",
        "rows": [reporter_row(row) | {"floods": row.address in flooding} for row in rows],
        "asked": asked,
        "show": show,
        "tabs": [(name, title) for name, (title, _) in SHOW.items()],
        "is_first": "after" not in request.GET,
        "first": f"?{urlencode(kept)}",
        "next": f"?{urlencode(kept | {'after': cursor})}" if cursor else "",
    }
    return render(request, "desk/reporters.html", context)


def page_after(found: QuerySet[Reporter], cursor: str) -> tuple[list[Reporter], str]:
    """Who sends most first: the page behind `cursor`, and the next cursor. Nonsense begins at the top."""
    recent, _, pk = cursor.partition(".")
    if recent.isascii() and recent.isdigit() and pk.isascii() and pk.isdigit() and len(cursor) < 30:
        # The first half is what an index range needs; the second parts those of the same number.
        found = found.filter(recent__lte=int(recent)).filter(Q(recent__lt=int(recent)) | Q(pk__lt=int(pk)))
    rows = list(found.order_by("-recent", "-id")[: PAGE + 1])
    if len(rows) <= PAGE:
        return rows, ""
    last = rows[PAGE - 1]
    return rows[:PAGE], f"{last.recent}.{last.pk}"


def reporter_row(reporter: Reporter) -> dict[str, Any]:
    return {
        "reporter": reporter,
        "trust": TRUST[reporter.trust],
        "precision": precision_word(reporter),
        "known": reporter.right_cases + reporter.wrong_cases,
    }


def precision_word(reporter: Reporter) -> Word:
    """How often they are right, as a share with what it rests on."""
    share = precision(reporter.right, reporter.wrong)
    if not reporter.right_cases + reporter.wrong_cases:
        return Word("not known", "", "No case of theirs has ended with a proof for or against")
    tone = "good" if share >= 0.8 else "warn" if share >= 0.5 else "bad"
    return Word(f"{share:.0%} right", tone, f"{reporter.right_cases} cases for, {reporter.wrong_cases} against")


class ReporterForm(forms.ModelForm):
    class Meta:
        model = Reporter
        fields = ["trust", "authenticated", "wants", "no_mail", "note"]
        widgets = {"note": forms.Textarea({"rows": 3})}
        labels = {
            "trust": "Trust",
            "authenticated": "It is really them",
            "wants": "They like",
            "no_mail": "Never write to them by machine",
            "note": "Note",
        }
        help_texts = {
            "trust": "Your word, before what is measured. Trusted reporters have no limit",
            "authenticated": "Set by itself when DKIM or SPF proves it",
            "no_mail": "A feed, or they wish none",
            "note": "For colleagues alone",
        }


@may("see_network", to_post="edit_rules")
@require_http_methods(["GET", "POST"])
def reporter_page(request: HttpRequest, pk: int) -> HttpResponse:
    reporter = get_object_or_404(Reporter, pk=pk)
    form = ReporterForm(request.POST or None, instance=Reporter.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        return save(request, reporter, form.cleaned_data)
    now = timezone.now()
    context = {
        "nav": "reporters",
        **reporter_row(reporter),
        "form": form,
        "half_life": HALF_LIFE.days,
        "first_seen": when.age(reporter.first_seen_at, now),
        **sent(reporter, now),
        **last_complaints(request, reporter, now),
        **about(reporter, now),
    }
    return render(request, "desk/reporter.html", context)


def save(request: HttpRequest, reporter: Reporter, given: dict[str, Any]) -> HttpResponse:
    given["note"] = given["note"].strip()[:5000]
    try:
        change_reporter(reporter, actor=request.user.get_username(), now=timezone.now(), **given)
    except NothingChanged:
        messages.info(request, "Nothing was changed: it stood so already.")
    else:
        messages.success(request, "Kept. The priorities of their open cases follow when each is looked at next.")
    return redirect("desk:reporter", reporter.pk)


def sent(reporter: Reporter, now: datetime) -> dict[str, Any]:
    """What they sent over time, and of what kinds, from the tallies."""
    today = now.astimezone(UTC).date()
    rows = ReporterTally.objects.filter(reporter=reporter, day__gt=today - timedelta(days=DAYS + BEFORE)).order_by()
    days = dict(rows.values_list("day").annotate(n=Sum("complaints")))
    first = min(days, default=today)
    counted = {
        day: float(days.get(day, 0)) for day in (first + timedelta(days=n) for n in range((today - first).days + 1))
    }
    shown = rows.filter(day__gt=today - timedelta(days=DAYS))
    kinds = shown.values_list("category").annotate(n=Sum("complaints")).order_by("-n")[:MOST_KINDS]
    formats = shown.values_list("format").annotate(n=Sum("complaints")).order_by("-n")[:MOST_KINDS]
    points = points_of(counted, today=today, days=DAYS)
    return {
        "chart": chart_of(points, what=f"Complaints of {reporter.address} a day") if days else None,
        "days": DAYS,
        "categories": [(words.CATEGORIES[Category(category)], n) for category, n in kinds],
        "formats": [(words.format_title(name), n) for name, n in formats],
    }


def last_complaints(request: HttpRequest, reporter: Reporter, now: datetime) -> dict[str, Any]:
    mine = Complaint.objects.filter(reporter=reporter).select_related("case", "rule").defer("evidence")
    complaints, more = page_below(mine, "id", request.GET.get("below"), page=20)
    return {
        "complaints": [
            {
                "complaint": each,
                "category": words.CATEGORIES[Category(each.category)],
                "age": when.age(each.received_at, now),
            }
            for each in complaints
        ],
        "next": f"?below={complaints[-1].pk}#complaints" if more else "",
        "is_first": "below" not in request.GET,
    }


def about(reporter: Reporter, now: datetime) -> dict[str, Any]:
    """Rules that name them, mails that we sent, floods, and who changed what."""
    names = set(names_of(reporter.address))
    rules = [rule for rule in Rule.objects.all() if names & set(rule.conditions.get("reporter", ()))]
    mails = ReporterMail.objects.filter(reporter=reporter).order_by("-pk")[:MOST_MAILS]
    floods = Flood.objects.filter(sender=reporter.address).order_by("-pk")[:MOST_FLOODS]
    return {
        "rules": [(rule, rule_words.KINDS[rule.kind], rule_words.state_word(rule, now)) for rule in rules],
        "mails": [(mail, words.MAIL_STATES[mail.state], when.age(mail.queued_at, now)) for mail in mails],
        "floods": floods,
        "changes": [(change, when.age(change.at, now)) for change in reporter.changes.all()[:MOST_CHANGES]],
        "same_voice": [(each, precision_word(each)) for each in of_same_voice(reporter)],
    }


def of_same_voice(reporter: Reporter) -> list[Reporter]:
    """Other addresses of the same registered domain: they count as one. A reporter who moved shows here as well."""
    voice = voice_of(reporter.address)
    if not voice or "@" in voice:  # at a mailbox provider each is somebody else
        return []
    same = Reporter.objects.filter(Q(address__endswith=f"@{voice}") | Q(address__endswith=f".{voice}"))
    return list(same.exclude(pk=reporter.pk).order_by("-recent", "-id")[:MOST_ALIKE])
