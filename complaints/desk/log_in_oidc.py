"""Logging in by OpenID Connect: the provider says who it is, the desk knows what they may. Nobody gets in unknown."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from complaints.models import User

CLAIM: str = getattr(settings, "OIDC_CLAIM", "preferred_username")


TAKEN = (
    "This user name is that of another company account. If it is yours now, ask an administrator: manage.py "
    "forget_company_account lets the desk know you anew."
)


class OidcAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The first time the account is found by its user name; from then on by the provider's own identifier."""
        if sociallogin.is_existing:
            return
        data = sociallogin.account.extra_data
        claims = data.get("userinfo") or data.get("id_token") or data
        name = str(claims.get(CLAIM) or "")
        user = User.objects.filter(username=name, is_active=True).first() if name else None
        if user is None:
            refuse(request, "You have no account at this desk. Ask an administrator for one.")
        elif SocialAccount.objects.filter(user=user, provider=sociallogin.account.provider).exists():
            refuse(request, TAKEN)  # providers give a name that became free to somebody else
        else:
            sociallogin.connect(request, user)


def refuse(request: HttpRequest, why: str) -> NoReturn:
    messages.error(request, why)
    raise ImmediateHttpResponse(redirect("login"))


def forget_company_account(user: User) -> int:
    """The next company account of that user name is theirs; how many there were."""
    return SocialAccount.objects.filter(user=user).delete()[0]
