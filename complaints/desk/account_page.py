"""Your own account: what you may, how you log in, where you are logged in. And the door that is closed to strangers."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from complaints.desk.access import for_everybody
from complaints.desk.browser_words import browser_in_words
from complaints.desk.rights import capabilities
from complaints.desk.roles import Can
from complaints.desk.second_factor import lacks_second_factor, needs_second_factor

MAY = {
    Can.WORK_CASES: "Work on cases",
    Can.CLOSE_CASES: "Close cases",
    Can.CUT_LINES: "Decide measures on a line, and agree to those of others",
    Can.MERGE_CASES: "Merge and split cases",
    Can.EDIT_RULES: "Write rules",
    Can.SEE_REPORTS: "See reports",
    Can.EDIT_PLAYBOOKS: "Change playbooks",
    Can.SEE_READ_LOG: "See who read whose data",
    Can.CONFIGURE: "Configure the desk",
    Can.MANAGE_PEOPLE: "Manage people and keys",
}


@for_everybody
@require_GET
def account_page(request: HttpRequest) -> HttpResponse:
    user, yours = request.user, capabilities(request.user)
    assert user.is_authenticated
    return render(request, "account/overview.html", {
        "nav": "account",
        "roles": ["superuser"] if user.is_superuser else sorted(user.role_names),
        "may": [text for each, text in MAY.items() if each in yours],
        "factors": factors_of(user),
        "needs_factor": needs_second_factor(user),
        "lacks_factor": lacks_second_factor(request),
        "sessions": sessions_of(user),
    })  # fmt: skip


def factors_of(user: Any) -> dict[str, Any]:
    found = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((each.wrap() for each in found if each.type == Authenticator.Type.RECOVERY_CODES), None)
    return {
        "totp": next((each for each in found if each.type == Authenticator.Type.TOTP), None),
        "keys": [each for each in found if each.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.get_unused_codes()) if codes else None,
    }


def sessions_of(user: Any) -> list[dict[str, Any]]:
    found = sorted(UserSession.objects.purge_and_list(user), key=lambda each: each.created_at, reverse=True)
    return [{"session": each, "browser": browser_in_words(each.user_agent)} for each in found]


@for_everybody
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One of your own, such as the one on a lost laptop."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    if session.is_current():
        messages.info(request, "That is the session you are in: log out instead.")
    else:
        session.end()
        messages.success(request, "That session has ended.")
    return redirect("account")


@never_cache
@require_GET
def closed(request: HttpRequest) -> HttpResponse:
    """Where other sites have a sign-up and a forgotten password: here a person does both."""
    return render(request, "account/closed.html", status=404)


@never_cache
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """By POST alone: a link in a mail must not end somebody's work. Also out of a log-in at its second step."""
    from allauth.account.internal import flows

    flows.logout.logout(request, show_message=False)
    return redirect(get_adapter().get_logout_redirect_url(request))
