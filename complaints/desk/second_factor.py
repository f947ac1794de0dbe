"""Who must have a second factor, and whether this session has shown one. A stolen password must not cut a line."""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from complaints.desk.rights import capabilities
from complaints.desk.roles import RISKY
from complaints.models import User

HAS_ONE = "has_second_factor"  # remembered in the session, so that a page costs no query for it


def needs_second_factor(user: User) -> bool:
    """By setting: who may do what is risky, everybody, or nobody. Demo accounts are free of it in the demo alone."""
    if settings.DEMO and user.is_demo:
        return False
    if settings.SECOND_FACTOR == "risky":
        return bool(capabilities(user) & RISKY)
    return bool(settings.SECOND_FACTOR == "everybody")


def lacks_second_factor(request: HttpRequest) -> bool:
    """Logged in, in need of one, and there is none: the next page is the one that sets it up.

    Who has one was asked for it at the log-in: allauth lets nobody pass without.
    """
    user = request.user
    if not user.is_authenticated or request.session.get(HAS_ONE) == user.pk or not needs_second_factor(user):
        return False
    if by_provider(request) or Authenticator.objects.filter(user=user, type__in=("totp", "webauthn")).exists():
        request.session[HAS_ONE] = user.pk
        return False
    return True


def by_provider(request: HttpRequest) -> bool:
    """The company's own log-in asked for it, where the settings say that it does."""
    if not getattr(settings, "OIDC_SECOND_FACTOR", False):
        return False
    return any(record["method"] == "socialaccount" for record in get_authentication_records(request, request.user))
