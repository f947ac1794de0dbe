"""Who may see what. A view gets its case and its message here and nowhere else, so the rule has one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from complaints.models import Case, Message, Notice, User

SUPERVISOR = "supervisor"  # the name of the group

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def supervises(user: User | AnonymousUser) -> bool:
    if not user.is_authenticated:
        return False
    return user.is_superuser or user.groups.filter(name=SUPERVISOR).exists()


def access_case(user: User | AnonymousUser, pk: int) -> Case:
    """The case, or Http404 when there is none that this user may see. Today whoever logs in sees all of them."""
    return get_object_or_404(
        visible(user, Case).select_related("contract__customer", "playbook", "assignee", "relapse_of"), pk=pk
    )


def access_message(user: User | AnonymousUser, pk: int) -> Message:
    return get_object_or_404(visible(user, Message).select_related("reading"), pk=pk)


def access_notice(user: User | AnonymousUser, pk: int) -> Notice:
    return get_object_or_404(visible(user, Notice), pk=pk)


def visible(user, kind):
    return kind.objects.all() if user.is_authenticated else kind.objects.none()


def desk_page(view: View[P]) -> View[P]:
    """For every page of the desk: log-in required, never cached, times in the desk's own zone."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_login(request)
        with timezone.override(ZoneInfo(settings.DISPLAY_TIME_ZONE)):
            return view(request, *args, **kwargs)

    return never_cache(guarded)


def supervisor_page(view: View[P]) -> View[P]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not supervises(request.user):
            # Not PermissionDenied: Django would write a traceback of it into the log.
            return render(request, "403.html", {"exception": "This page is for supervisors."}, status=403)
        return view(request, *args, **kwargs)

    return desk_page(guarded)


def staff_page(view: View[P]) -> View[P]:
    """For whoever may configure the desk."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            return render(request, "403.html", {"exception": "This page is for administrators."}, status=403)
        return view(request, *args, **kwargs)

    return desk_page(guarded)


def to_login(request: HttpRequest) -> HttpResponse:
    """A live region must not swallow the log-in page: there the whole window goes to it, and comes back."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    came_from = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return HttpResponseClientRedirect(redirect_to_login(came_from._replace(scheme="", netloc="").geturl()).url)
