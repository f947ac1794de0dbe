"""The doors of the customer's page: show, answer, and what has changed since."""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import select_template
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from complaints.blacklists import mark_asked
from complaints.cases.answers import CUSTOMER, AnswerKind, NoAnswerNow, record_answer, record_seen
from complaints.cases.transitions import StaleCase
from complaints.models import Brand, Case, PortalLink
from complaints.notices.about import theme_of
from complaints.notices.links import find_link
from complaints.notices.senders import Sender, sender_of, sender_of_nobody
from complaints.portal import page
from complaints.portal.forms import MAX_TEXT, AnswerForm
from complaints.portal.languages import A_YEAR, COOKIE, language_of, languages
from complaints.vocabulary import CaseState, EventKind

ANSWERS_AN_HOUR = 10


def by_link(view: Any) -> Any:
    """Give the view its PortalLink, or say kindly that there is none. Nothing of these pages may be kept or leak."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        link = find_link(token, now=timezone.now())
        response: Any = view(request, link, token) if link else unknown_link(request)
        response.headers["Cache-Control"] = "private, no-store"
        # Not no-referrer: with it browsers send "Origin: null" on our own forms, which the CSRF check must refuse.
        response.headers["Referrer-Policy"] = "same-origin"
        response._has_been_logged = (
            True  # Django would write the path, and with it the key, into its log of 4xx answers
        )
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return guarded


@require_safe
@by_link
def show_case(request: HttpRequest, link: PortalLink, token: str) -> HttpResponse:
    if request.method == "GET" and not request.user.is_authenticated:
        record_seen(link)
    return show(request, link.case, token)


@require_POST
@by_link
def answer(request: HttpRequest, link: PortalLink, token: str) -> HttpResponse:
    case, form = link.case, AnswerForm(request.POST)
    if not form.is_valid():
        return show(request, case, token, code=422, problems=form.problems(), given=request.POST)
    if answers_lately(case) >= ANSWERS_AN_HOUR:
        return show(request, case, token, code=429, problems=["too_many"], given=request.POST)
    try:
        record_answer(
            case, AnswerKind(form.cleaned_data["kind"]), text=form.cleaned_data["text"], actor=actor_of(request)
        )
    except (StaleCase, NoAnswerNow) as exc:
        case = Case.objects.get(pk=case.pk)
        return show(request, case, token, code=409, problems=[type(exc).__name__], given=request.POST)
    wake_case(case)
    return redirect(reverse("portal:case", args=[token]) + "#now")


@require_POST
@by_link
def asked(request: HttpRequest, link: PortalLink, token: str) -> HttpResponse:
    """They asked a blacklist to take their address out: noted on the case, and the list is looked at again."""
    for each in page.to_ask(link.case):
        if str(each.pk) == request.POST.get("listing"):
            mark_asked(each, case=link.case, actor=actor_of(request), now=timezone.now())
    return redirect(reverse("portal:case", args=[token]) + "#ways")


@require_GET
@by_link
def status(request: HttpRequest, link: PortalLink, token: str) -> HttpResponse:
    """The live block: nothing when nothing is new (or a screen reader would repeat itself), the block when its
    words changed, the whole page when the case has moved on."""
    case, language = link.case, language_of(request, link.case)
    happening, seen = page.status(case, now=timezone.now(), language=language), request.GET.get("seen", "")
    if seen == happening["version"]:
        return HttpResponse(status=204)
    if not seen.startswith(f"{case.state}.{case.stay}."):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return HttpResponse(template(language, ["status.html"]).render(happening | shared(request, case, token), request))


def show(
    request: HttpRequest, case: Case, token: str, *, code: int = 200, problems: Any = (), given: Any = None
) -> HttpResponse:
    language = language_of(request, case)
    theme = theme_of(case.cause, case.category)
    names = ["closed.html"] if case.state == CaseState.CLOSED else [f"causes/{theme}.html", "page.html"]
    context = {
        **page.present(case, now=timezone.now(), language=language),
        **shared(request, case, token),
        "problems": list(problems),
        "given": given or {},
    }
    response = HttpResponse(template(language, names).render(context, request), status=code)
    if request.GET.get("lang"):  # for this page alone: somebody else's may be in another language
        where = reverse("portal:case", args=[token])
        response.set_cookie(
            COOKIE, language, max_age=A_YEAR, path=where, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return response


def shared(request: HttpRequest, case: Case, token: str) -> dict[str, Any]:
    return {
        "token": token,
        "language": language_of(request, case),
        "languages": languages(),
        "max_text": MAX_TEXT,
        "site": settings.BASE_URL,
        **in_the_name_of(sender_of(case)),
        "desk_user": request.user.get_username() if request.user.is_authenticated else "",
    }


def unknown_link(request: HttpRequest) -> HttpResponse:
    language = language_of(request, None)
    context = {"language": language, **in_the_name_of(sender_of_nobody())}
    return HttpResponse(template(language, ["no_link.html"]).render(context, request), status=404)


def in_the_name_of(sender: Sender) -> dict[str, Any]:
    return {**sender.facts, "brand": sender.brand if sender.colour else None}


@require_safe
def brand_style(request: HttpRequest, pk: int) -> HttpResponse:
    """A brand's colour as a style sheet: the policy of these pages allows no style within them."""
    brand = get_object_or_404(Brand.objects.exclude(colour=""), pk=pk)
    response = HttpResponse(f":root {{ --brand: {brand.colour}; --on-brand: #fff }}\n", content_type="text/css")
    response["Cache-Control"] = "public, max-age=3600"
    return response


def template(language: str, names: list[str]) -> Any:
    return select_template([f"portal/{language}/{name}" for name in names])


def answers_lately(case: Case) -> int:
    """Counted in the history: the same for every process, and after a restart."""
    since = timezone.now() - timedelta(hours=1)
    return case.events.filter(kind=EventKind.CUSTOMER_ANSWERED, at__gt=since).count()


def actor_of(request: HttpRequest) -> str:
    return f"{request.user.get_username()[:120]} (for the customer)" if request.user.is_authenticated else CUSTOMER


def wake_case(case: Case) -> None:
    from complaints import tasks

    tasks.wake(tasks.advance_cases, [case.pk])
