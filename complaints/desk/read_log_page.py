"""Who read whose data: for supervisors and auditors. Newest first, paged by key, filtered by indexes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.desk import when
from complaints.desk.access import may
from complaints.desk.lists import page_below
from complaints.models import AccessLog

PAGE = 50


NO_DAY, NO_CASE = {"invalid": "A day, as 2026-03-10."}, {"invalid": "No case number."}


class ReadLogForm(forms.Form):
    who = forms.CharField(required=False, max_length=150)
    what = forms.ChoiceField(required=False, choices=[("", "anything"), *AccessLog.What.choices])
    about = forms.CharField(required=False, max_length=200)
    case = forms.RegexField(r"^#?(?:\d{4}-)?0*(\d{1,12})$", required=False, error_messages=NO_CASE)
    since = forms.DateField(required=False, error_messages=NO_DAY)
    until = forms.DateField(required=False, error_messages=NO_DAY)

    def rows(self) -> Any:
        given, found = self.cleaned_data, AccessLog.objects.all()
        for name in ("who", "what", "about"):
            if given[name]:
                found = found.filter(**{name: given[name].strip()})
        if given["case"]:
            found = found.filter(case=given["case"].lstrip("#").rpartition("-")[2].lstrip("0"))
        if given["since"]:
            found = found.filter(at__gte=midnight(given["since"]))
        if given["until"]:
            found = found.filter(at__lt=midnight(given["until"]) + timedelta(days=1))
        return found


def midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone()).astimezone(UTC)


@may("see_read_log")
@require_GET
def read_log_page(request: HttpRequest) -> HttpResponse:
    form, now = ReadLogForm(request.GET), timezone.now()
    is_asked = any(request.GET.get(name) for name in form.fields)
    rows, more = page_below(form.rows(), "id", request.GET.get("below"), page=PAGE) if form.is_valid() else ([], False)
    kept = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    context = {
        "nav": "read-log",
        "form": form,
        "rows": [(row, when.age(row.at, now)) for row in rows],
        "is_asked": is_asked,
        "is_first": "below" not in request.GET,
        "first": f"?{urlencode(kept)}",
        "next": f"?{urlencode(kept | {'below': rows[-1].pk})}" if more else "",
        "days": settings.READ_LOG_DAYS,
    }
    return render(request, "desk/read_log.html", context, status=200 if form.is_valid() else 400)
