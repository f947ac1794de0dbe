"""Ends a session that nobody uses, or that has lasted long enough. What a page asks by itself does not count as use."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

BEGAN, SEEN = "began", "seen"
NOTED_EVERY = 60  # seconds: not every page writes the session


def begin(request: HttpRequest) -> None:
    """At the log-in, whichever way it went."""
    request.session[BEGAN] = request.session[SEEN] = int(timezone.now().timestamp())


class SessionLimits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and BEGAN in request.session:
            keep_or_end(request, now=int(timezone.now().timestamp()))
        return self.get_response(request)


def keep_or_end(request: HttpRequest, *, now: int) -> None:
    began, seen = request.session[BEGAN], request.session.get(SEEN, 0)
    if now - seen > settings.SESSION_IDLE or now - began > settings.SESSION_COOKIE_AGE:
        logout(request)
        messages.info(request, "You were logged out, because this session had been idle or open for too long.")
    elif now - seen > NOTED_EVERY and not request.headers.get("HX-Request"):
        request.session[SEEN] = now
