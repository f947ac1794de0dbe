"""The door of the API: a key, its scope, its pace; then the view. Refusals are JSON and say what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from complaints.api.keys import SCOPES, find_key, note_use
from complaints.models import ApiKey

Answer = Callable[[HttpRequest, ApiKey], JsonResponse]


class Refused(Exception):
    """What is answered instead. `do`: the sentence that helps."""

    def __init__(self, status: int, error: str, do: str, **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.do = status, error, do
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def api_view(scope: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[Answer], Callable[..., JsonResponse]]:
    """A view that is given the caller's key. Neither session nor cookie counts here, so no form can forge a call."""
    assert scope in SCOPES, scope

    def guard(view: Answer) -> Callable[..., JsonResponse]:
        @csrf_exempt
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest) -> JsonResponse:
            now = timezone.now()
            try:
                refuse_method(request, methods)
                key = key_of(request, scope)
                keep_pace(key, now=now)
                note_use(key, now=now)
                return view(request, key)
            except Refused as refused:
                return refusal(refused)

        return guarded

    return guard


def refuse_method(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        allowed = ", ".join(methods)
        raise Refused(405, f"{request.method} is not answered here", f"Send {allowed}.", Allow=allowed)


def key_of(request: HttpRequest, scope: str) -> ApiKey:
    """RFC 6750: the key in the Authorization header, and nowhere else, for addresses are logged."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if not secret or kind.lower() != "bearer":
        raise Refused(
            401, "no key was sent", "Send the header “Authorization: Bearer KEY”; manage.py make_api_key makes a key.",
            WWW_Authenticate='Bearer realm="abuse desk"',
        )  # fmt: skip
    key = find_key(secret.strip())
    if key is None:
        raise Refused(
            401, "the key is unknown or revoked", "Ask the abuse desk for a new one.",
            WWW_Authenticate='Bearer realm="abuse desk", error="invalid_token"',
        )  # fmt: skip
    if not key.may(scope):
        raise Refused(
            403, f"the key may not {SCOPES[scope]}", f"Ask for a key with the scope “{scope}”.",
            WWW_Authenticate=f'Bearer realm="abuse desk", error="insufficient_scope", scope="{scope}"',
        )  # fmt: skip
    return key


def keep_pace(key: ApiKey, *, now: datetime) -> None:
    """So many calls a minute and key, counted in the cache: each web process counts its own unless that is shared."""
    counter = f"api-pace:{key.pk}:{now:%Y%m%d%H%M}"
    cache = caches["process"]
    cache.add(counter, 0, timeout=120)
    try:
        count = cache.incr(counter)
    except ValueError:  # thrown out of the cache this moment
        return
    if count > settings.API_RATE:
        left = str(60 - now.second)
        raise Refused(
            429, f"more than {settings.API_RATE} calls in this minute", f"Wait {left} seconds.", Retry_After=left
        )


def bad_request(field: str, problem: str) -> Refused:
    return Refused(400, f"{field}: {problem}", f"Mend {field} and send it again; docs/api.md has examples.")


def refusal(refused: Refused) -> JsonResponse:
    body: dict[str, Any] = {"error": refused.error, "do": refused.do}
    return JsonResponse(body, status=refused.status, headers=refused.headers)
