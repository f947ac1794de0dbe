"""Who had this address: for analysts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from complaints.desk.access import desk_page


@desk_page
@require_GET
def whose_page(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/whose.html", {"nav": "whose"})
