"""GET /api/whose: what `manage.py whose` prints."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from complaints.api.door import Refused, api_view, bad_request
from complaints.attribution.records import read_question
from complaints.attribution.records import whose as answer
from complaints.cases.scope import may_ask_about
from complaints.models import ApiKey, Contract

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
    found = answer(question)
    if key.is_restricted:
        contract = Contract.objects.filter(reference=found["contract"]).only("brand").first()
        if not may_ask_about(key, found["address"], contract.brand if contract else None):
            raise Refused(403, "the key is for other networks or brands", "Ask for a key that covers this address.")
    return JsonResponse(found, json_dumps_params={"ensure_ascii": False})
