"""The page that every probe names: who tests, why, and how to be left alone. Public: the tested are strangers."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def relay_check(request: HttpRequest) -> HttpResponse:
    told = {
        "language": "en",
        "helo": settings.HELO,
        "probe_domain": settings.PROBE_DOMAIN,
        "contact": settings.DESK_EMAIL,
    }
    return render(request, "relay_check.html", told)
