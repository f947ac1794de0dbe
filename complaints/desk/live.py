"""Parts of a page that renew themselves: the browser asks with what it has, and gets nothing when nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

PART = "part"
SEEN = "seen"
KEPT = ("tab", "q", "after", "shown")


def wants_part(request: HttpRequest) -> bool:
    return request.GET.get(PART) == "live"


def render_live(template: str, context: Mapping[str, Any], request: HttpRequest, *, path: str = "") -> dict[str, Any]:
    """The part's HTML, a digest of it, and the address to ask again. No forms: their CSRF tokens always differ.

    `path`: of the page, where the request was one for an act that was refused.
    """
    html = render_to_string(template, dict(context), request)
    digest = hashlib.blake2b(html.encode(), digest_size=8).hexdigest()
    query = {name: request.GET[name] for name in KEPT if name in request.GET} | {PART: "live", SEEN: digest}
    return {"live": SafeString(html), "live_url": f"{path or request.path}?{urlencode(query)}", "live_digest": digest}


def live_answer(template: str, part: Mapping[str, Any], request: HttpRequest) -> HttpResponse:
    """204 leaves the page as it is: no flicker, no lost place."""
    if request.GET.get(SEEN) == part["live_digest"]:
        return nothing_new()
    return HttpResponse(render_to_string(template, dict(part), request))


def nothing_new() -> HttpResponse:
    return HttpResponse(status=204)
