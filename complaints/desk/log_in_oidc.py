"""Logging in by OpenID Connect: the provider says who it is, the desk knows what they may. Nobody gets in unknown."""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from complaints.models import User

CLAIM: str = getattr(settings, "OIDC_CLAIM", "preferred_username")


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
            messages.error(request, "You have no account at this desk. Ask an administrator for one.")
            raise ImmediateHttpResponse(redirect("login"))
        sociallogin.connect(request, user)
