"""Refuses a request that says it is too large, before anything reads it.

Django bounds the fields of a form but not its files: looking for the CSRF token would write them all to the disk, of
anybody, logged in or not. What does not say its length has none for Django, and is not read.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

MOST = 8 * 1024 * 1024  # octets: a mail that is pasted or uploaded, with what the form's encoding adds


class BodyLimit:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.META.get("CONTENT_LENGTH") or "0"
        if said.isascii() and said.isdigit() and int(said[:20]) <= MOST:
            return self.get_response(request)
        return HttpResponse(f"More than {MOST:,} octets are not taken here.\n", status=413, content_type="text/plain")
