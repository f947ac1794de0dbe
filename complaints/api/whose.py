"""GET /api/whose: what `manage.py whose` prints."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from complaints.api.door import api_view, bad_request
from complaints.attribution.records import read_question
from complaints.attribution.records import whose as answer
from complaints.models import ApiKey

FIELDS = ("address", "at", "port")
LONGEST = 100


@api_view("whose")
def whose(request: HttpRequest, key: ApiKey) -> JsonResponse:
    for name, values in request.GET.lists():
        if name not in FIELDS:  # a misspelt "port" must not be answered as if none had been asked for
            raise bad_request(name[:LONGEST], f"is none of {', '.join(FIELDS)}")
        if len(values) > 1:
            raise bad_request(name, "stands there twice")
    given = {name: request.GET.get(name, "").strip() for name in FIELDS}
    if not given["address"]:
        raise bad_request("address", "is missing")
    if too_long := next((name for name, text in given.items() if len(text) > LONGEST), None):
        raise bad_request(too_long, f"is longer than {LONGEST} characters")
    try:
        question = read_question(given["address"], port=given["port"], at=given["at"], now=timezone.now())
    except ValueError as exc:
        raise bad_request("the question", str(exc)) from exc
    return JsonResponse(answer(question), json_dumps_params={"ensure_ascii": False})
