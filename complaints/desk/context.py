"""What every page may show: the desk's name, whether this is the demo, and what the visitor may open."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from complaints.desk.access import supervises


def site(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"desk_name": settings.DESK_NAME, "demo": settings.DEMO}
    if user := getattr(request, "user", None):
        found["supervises"] = partial(supervises, user)  # asked by the pages that show it, free on the others
    return found
