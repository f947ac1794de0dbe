"""What every page may show: the desk's name, and whether this is the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {"desk_name": settings.DESK_NAME, "demo": settings.DEMO}
