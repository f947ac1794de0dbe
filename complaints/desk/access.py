"""Who may see what. A view gets its case and its message here and nowhere else, so the rule has one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from complaints.cases.scope import scope_of
from complaints.desk.reading import note_read
from complaints.desk.rights import can, capabilities, is_restricted
from complaints.desk.roles import Can, Role, allowed, lowest
from complaints.desk.second_factor import lacks_second_factor
from complaints.models import Case, Message, Notice, User

SUPERVISOR = Role.SUPERVISOR.value  # the name of the group
READING = ("GET", "HEAD", "OPTIONS")

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
R = TypeVar("R")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def supervises(user: User | AnonymousUser) -> bool:
    return can(user, Can.SEE_REPORTS) and can(user, Can.LET_GO_ON)


def access_case(user: User | AnonymousUser, pk: int) -> Case:
    """The case, or Http404 when there is none that this user may see: whether there is one is not told either."""
    return get_object_or_404(cases_to_show(user), pk=pk)


def cases_to_show(user: User | AnonymousUser) -> QuerySet[Case]:
    """With what every page of a case says of it."""
    return visible(user, Case).select_related("contract__customer", "playbook", "assignee", "relapse_of")


def access_message(user: User | AnonymousUser, pk: int) -> Message:
    return get_object_or_404(visible(user, Message).select_related("reading"), pk=pk)


def access_notice(user: User | AnonymousUser, pk: int) -> Notice:
    return get_object_or_404(visible(user, Notice), pk=pk)


def visible(user: User | AnonymousUser, kind: type[M]) -> QuerySet[M]:
    """The rows of `kind` that this user may see. The only way to a list of what may be somebody else's."""
    return among(user, kind._default_manager.all())


def among(user: User | AnonymousUser, rows: QuerySet[M]) -> QuerySet[M]:
    """Those of `rows` that this user may see. Raises LookupError for a kind of which scope.py says nothing."""
    if not user.is_authenticated:
        return rows.none()
    return rows.filter(scope_of(user, rows.model)) if is_restricted(user) else rows


def openable(user: User | AnonymousUser, kind: type[M], ids: Iterable[int | None]) -> frozenset[int]:
    """Which of these a page may link to for this user; asked only for who is restricted."""
    found = frozenset(pk for pk in ids if pk)
    if not is_restricted(user) or not found:
        return found
    return frozenset(visible(user, kind).filter(pk__in=found).values_list("pk", flat=True))


def may(to_read: str, *, to_post: str = "") -> Callable[[View[P]], View[P]]:
    """For every page of the desk: log-in and capability required, never cached, times in the desk's own zone.

    may("close_cases") guards reading and posting alike; with may("see_playbooks", to_post="edit_playbooks") whoever
    posts needs both. Raises ValueError, when the program starts, for what is no capability.
    """
    reading = (Can(to_read),)
    posting = (Can(to_read), Can(to_post or to_read))

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_login(request)
            if lacks_second_factor(request):
                return to_second_factor(request)
            yours = capabilities(request.user)
            for needed in reading if request.method in READING else posting:
                if needed not in yours:
                    return refuse(request, needed)
            with timezone.override(ZoneInfo(settings.DISPLAY_TIME_ZONE)):
                response = view(request, *args, **kwargs)
            note_read(request, response)
            return response

        return never_cache(guarded)

    return guard


def for_everybody(view: View[P]) -> View[P]:
    """Pages about the reader's own account: log-in required, no capability; a second factor is set up here."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_login(request)
        with timezone.override(ZoneInfo(settings.DISPLAY_TIME_ZONE)):
            return view(request, *args, **kwargs)

    return never_cache(guarded)


def to_second_factor(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(reverse("mfa_index"))
    return redirect("mfa_index")


def confirmed(view: Callable[Concatenate[HttpRequest, P], R]) -> Callable[Concatenate[HttpRequest, P], R]:
    """For acts that can cut a line or send many mails at once; tests/desk/permissions.py lists them."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R:
        if request.method not in READING:
            confirm_first(request)
        return view(request, *args, **kwargs)

    return guarded


def confirm_first(request: HttpRequest) -> None:
    """Who has not said for a while who they are says it again, and the act goes on from there.

    Raises ReauthenticationRequired, which allauth's middleware answers.
    """
    raise_if_reauthentication_required(request, app="complaints")


def refuse(request: HttpRequest, needed: Can) -> HttpResponse:
    # Not PermissionDenied: Django would write a traceback of it into the log.
    return render(request, "403.html", {"exception": why_not(request.user, needed)}, status=403)


def why_not(user: User | AnonymousUser, needed: Can) -> str:
    """Whose it is, and what the reader is instead: so that they know whom to ask."""
    roles = sorted(user.role_names) if user.is_authenticated else []
    yours = f"Your role is {' and '.join(roles)}." if roles else "You have no role yet: ask an administrator for one."
    if is_restricted(user) and needed in allowed(roles):
        return "This page shows all networks and brands, and your account is restricted to some of them."
    return f"This page is for {lowest(needed)}s. {yours}"


def desk_page(view: View[P]) -> View[P]:
    """What shows all networks and brands, and by POST works on cases. Pages with another rule say may(…) themselves."""
    return may(Can.SEE_NETWORK, to_post=Can.WORK_CASES)(view)


def part_page(view: View[P]) -> View[P]:
    """What shows a restricted user the part that is theirs (`among`, `visible`), and by POST works on cases."""
    return may(Can.SEE_CASES, to_post=Can.WORK_CASES)(view)


def supervisor_page(view: View[P]) -> View[P]:
    return may(Can.SEE_REPORTS, to_post=Can.EDIT_PLAYBOOKS)(view)


def staff_page(view: View[P]) -> View[P]:
    """For whoever may configure the desk."""
    return may(Can.CONFIGURE)(view)


def to_login(request: HttpRequest) -> HttpResponse:
    """A live region must not swallow the log-in page: there the whole window goes to it, and comes back."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    came_from = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return HttpResponseClientRedirect(redirect_to_login(came_from._replace(scheme="", netloc="").geturl()).url)
