"""Django's admin behind the desk's own log-in, for those who may configure, with its tables in sections."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
# The front page, top to bottom: what is set up by hand, what comes by imports, what is only looked at.
SECTIONS = (
    ("People and keys", ("User", "ApiKey")),
    ("The network", ("Network", "NetworkContact", "SharedMachine", "CheckOptOut", "Blacklist")),
    ("Letters", ("Brand", "LetterText")),
    ("Customers", ("Customer", "Contract", "Product", "Assignment", "LineIdentifier", "HostedName")),
    ("Reporters", ("Reporter",)),
)
LOOKED_AT = "To look at: written by the program"


class DeskAdminSite(AdminSite):
    site_header = site_title = "Set-up"
    index_title = "Set-up"
    enable_nav_sidebar = False  # the wide tables need the room; the crumbs lead back

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Ours alone: what allauth and Django bring (secrets, sessions, groups) is nobody's to edit by hand."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else [*model_or_iterable]
        ours = [model for model in models if model._meta.app_label == "complaints"]
        if ours:
            super().register(ours, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        from complaints.desk.rights import can  # the app registry is not ready when this module is read
        from complaints.desk.second_factor import lacks_second_factor

        return can(request.user, "configure") and not lacks_second_factor(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The one log-in; who is logged in and still stands here may not, or lacks a second factor."""
        from complaints.desk.access import refuse, to_login
        from complaints.desk.roles import Can
        from complaints.desk.second_factor import lacks_second_factor

        if not request.user.is_authenticated:
            return to_login(request)
        return redirect("mfa_index") if lacks_second_factor(request) else refuse(request, Can.CONFIGURE)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Times are shown and read in the desk's own zone, as on its pages; so the page is drawn within it."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def in_desk_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            with timezone.override(ZoneInfo(settings.DISPLAY_TIME_ZONE)):
                response = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        return cast(View, in_desk_zone)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """All tables in our sections, whichever app they come from."""
        found = super().get_app_list(request, app_label)
        if app_label:
            return found
        models = {model["object_name"]: model for app in found for model in app["models"]}
        sections = [(title, [models.pop(name) for name in names if name in models]) for title, names in SECTIONS]
        sections.append((LOOKED_AT, list(models.values())))
        return [
            {"name": title, "app_label": "complaints", "app_url": "", "has_module_perms": True, "models": rows}
            for title, rows in sections
            if rows
        ]


class DeskAdminConfig(AdminConfig):
    default_site = "complaints.desk.admin_site.DeskAdminSite"
