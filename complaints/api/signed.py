"""Calls that are signed: no secret travels, nothing of the call can be changed, and none can be played again.

    X-Desk-Key: the number of the key        X-Desk-Time: seconds since 1970, as the caller's clock says
    X-Desk-Signature: hex HMAC-SHA256 of "<X-Desk-Time>.<body>" with the key's signing secret (RFC 2104)

The signing secret is made of the site's secret key and the stored hash: the database alone cannot sign.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from complaints.api.door import Answer, Refused, keep_pace, refusal, refuse_method
from complaints.api.keys import SCOPES, note_use
from complaints.models import ApiKey, SignedCall

WINDOW = timedelta(minutes=5)  # how far the caller's clock may be off
HEX = frozenset("0123456789abcdef")
# One text for all: who tries keys learns nothing of which exist.
WRONG = "the signature does not fit"
DO = "Sign “<X-Desk-Time>.<body>” with the signing secret that manage.py make_api_key printed; see docs/api.md."


def signing_secret(key: ApiKey) -> str:
    material = f"{key.pk}:{bytes(key.key_hash).hex()}"
    return "ads_" + salted_hmac("complaints.api.signing", material, algorithm="sha256").hexdigest()


def sign(secret: str, *, time: str, body: bytes) -> str:
    return hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_view(scope: str) -> Callable[[Answer], Callable[..., JsonResponse]]:
    """A view that is given the key which signed the call. Neither session nor cookie counts here."""
    assert scope in SCOPES, scope

    def guard(view: Answer) -> Callable[..., JsonResponse]:
        @csrf_exempt
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest) -> JsonResponse:
            now = timezone.now()
            try:
                refuse_method(request, ("POST",))
                key, signature = signer_of(request, scope, now=now)
                keep_pace(key, now=now)
                refuse_replay(signature, now=now)
                note_use(key, now=now)
                try:
                    return view(request, key)
                except BaseException:  # whatever it was, nothing was taken: the same call may come again
                    forget_call(signature)
                    raise
            except Refused as refused:
                return refusal(refused)

        return guarded

    return guard


def signer_of(request: HttpRequest, scope: str, *, now: datetime) -> tuple[ApiKey, str]:
    given = {name: request.headers.get(f"X-Desk-{name}", "") for name in ("Key", "Time", "Signature")}
    if missing := [f"X-Desk-{name}" for name, value in given.items() if not value]:
        raise Refused(401, f"{', '.join(missing)} is missing", DO)
    if not given["Time"].isascii() or not given["Time"].isdigit() or len(given["Time"]) > 12:
        raise Refused(401, "X-Desk-Time is no number of seconds since 1970", DO)
    if abs(int(given["Time"]) - now.timestamp()) > WINDOW.total_seconds():
        raise Refused(401, "X-Desk-Time is more than five minutes off", "Set the clock right and sign again.")
    try:
        body = request.body
    except RequestDataTooBig:
        raise Refused(413, "the call is too large", "Send it in parts.") from None
    signature = given["Signature"].lower()
    key = key_numbered(given["Key"])
    # A key that is not there is compared as well: the time of the answer says nothing.
    wanted = sign(signing_secret(key or NOBODY), time=given["Time"], body=body)
    fits = len(signature) == 64 and HEX.issuperset(signature) and hmac.compare_digest(signature, wanted)
    if not fits or key is None:
        raise Refused(401, WRONG, DO)
    if not key.may(scope):
        raise Refused(403, f"the key may not {SCOPES[scope]}", f"Ask for a key with the scope “{scope}”.")
    return key, signature


NOBODY = ApiKey(pk=0, key_hash=b"\0" * 32)


def key_numbered(text: str) -> ApiKey | None:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return ApiKey.objects.filter(pk=int(text), revoked_at=None).first()


def refuse_replay(signature: str, *, now: datetime) -> None:
    """Remember it for as long as its time stamp could be fresh; a second one is refused."""
    try:
        with transaction.atomic():
            SignedCall.objects.filter(at__lt=now - 2 * WINDOW).delete()
            SignedCall.objects.create(signature=bytes.fromhex(signature), at=now)
    except IntegrityError:
        raise Refused(
            409, "this call was taken already", "Nothing is to be done; sign a new call for new data."
        ) from None


def forget_call(signature: str) -> None:
    """It was refused or has failed, so nothing of it was taken: sent again as it is, it is no replay."""
    SignedCall.objects.filter(signature=bytes.fromhex(signature)).delete()
