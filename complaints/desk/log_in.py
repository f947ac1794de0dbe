"""How django-allauth fits the desk: no sign-up, no mail of its own, secrets encrypted, roles as rights."""

from __future__ import annotations

import base64
import hashlib
import logging
from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from complaints.desk import session_limits
from complaints.desk.rights import capabilities
from complaints.desk.roles import Can
from complaints.desk.second_factor import needs_second_factor
from complaints.models import User

logger = logging.getLogger(__name__)
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class MailForbidden(RuntimeError):
    """allauth wanted to send mail by itself, past holds, limits and the record of what was sent."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "User name and password do not fit. Both are case-sensitive.",
        "too_many_login_attempts": "Too many tries with this name. Wait five minutes; your account is not blocked.",
        "incorrect_password": "The password does not fit.",
        "enter_current_password": "That is not the password until now.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        raise MailForbidden(template_prefix)

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        session_limits.begin(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who has just logged in has just said who they are. A time of 0 asks nobody."""
        if not (timeout := settings.ACCOUNT_REAUTHENTICATION_TIMEOUT):
            return False
        records = get_authentication_records(context.request, context.request.user)
        newest = max((record["at"] for record in records), default=0.0)
        return bool(timezone.now().timestamp() - newest >= timeout)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A line for whoever watches the log; without the name, for people type their password there."""
        logger.warning("log-in refused from %s", self.get_client_ip(request))
        super().authentication_failed(request, **credentials)


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "The code does not fit. Codes of an app change every 30 seconds: type the newest.",
        "cannot_delete_authenticator": "Your role needs a second factor, and this is the only one.",
    }

    def encrypt(self, text: str) -> str:
        return box(settings.SECRET_KEY).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What another secret key encrypted is no secret any more: no code fits, and an administrator resets it."""
        try:
            return box(settings.SECRET_KEY).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logger.error("a second factor was made with another secret key: manage.py reset_second_factor")
            return ""

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.get_username())

    def _get_site_name(self) -> str:
        return settings.DESK_NAME

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Key {count + 1}"

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Not the last one of somebody who must have one."""
        if authenticator.type not in FACTORS or not needs_second_factor(authenticator.user):
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return others.exists()


@cache
def box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second factor" + key.encode()).digest()))


class RoleBackend(BaseBackend):
    """Django's admin asks for permissions by name; here a role answers, so there is one table of who may what."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        model = perm.rpartition("_")[2]
        needed = Can.MANAGE_PEOPLE if model in ("user", "group", "apikey") else Can.CONFIGURE
        return needed in capabilities(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return isinstance(user_obj, User) and user_obj.is_active and Can.CONFIGURE in capabilities(user_obj)
