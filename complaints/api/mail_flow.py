"""POST /api/mail-flow: what the contracts' mail did, day by day, as the ISP's own systems counted it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from complaints.api.door import Refused
from complaints.api.signed import signed_view
from complaints.attribution.importing import ImportRefused
from complaints.cases.flow_files import read_rows
from complaints.cases.scope import scope_of
from complaints.cases.tallies import record_flow
from complaints.models import ApiKey, Contract

MOST_ROWS = 10_000
DO = "Mend it and send it again; docs/api.md has examples."


@signed_view("mail-flow")
def mail_flow(request: HttpRequest, key: ApiKey) -> JsonResponse:
    try:
        flows = read_rows(rows_of(request.body), now=timezone.now())
    except ImportRefused as exc:
        raise Refused(400, "; ".join(exc.faults[:20]), DO) from exc
    refuse_others(key, {flow.contract for flow in flows})
    return JsonResponse({"rows": len(flows), "numbers": record_flow(flows)})


def refuse_others(key: ApiKey, contracts: set[int]) -> None:
    """A restricted key tells of the contracts that its reader might see, and of no others."""
    if not key.is_restricted or not contracts:
        return
    theirs = Contract.objects.filter(scope_of(key, Contract), pk__in=contracts)
    if contracts - set(theirs.values_list("pk", flat=True)):
        raise Refused(403, "the key is for other networks or brands", "Ask for a key that covers these contracts.")


def rows_of(body: bytes) -> list[dict[str, Any]]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, f"the body is no JSON: {str(exc)[:100]}", DO) from exc
    rows = told.get("rows") if isinstance(told, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(400, "the body is not {“rows”: [{…}, …]}", DO)
    if len(rows) > MOST_ROWS:
        raise Refused(413, f"more than {MOST_ROWS:,} rows", "Send them in parts.")
    return rows
