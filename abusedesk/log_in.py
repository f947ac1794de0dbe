"""Settings of logging in: django-allauth, sessions and their cookies, and what the browser is told. docs/access.md."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from abusedesk.environment import Environment

FACTORS = {"risky": "risky", "everybody": "everybody", "nobody": "nobody"}
APPS = ["allauth", "allauth.account", "allauth.mfa", "allauth.usersessions"]
OIDC_APPS = ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
MINUTE, HOUR = 60, 3600


def log_in_settings(env: Environment, *, base_url: str, name: str, behind_proxy: bool) -> dict[str, Any]:
    """Everything that Django and allauth read of it, by the names they read."""
    secure = base_url.startswith("https://")
    oidc = oidc_settings(env)
    return {
        "LOG_IN_APPS": APPS + (OIDC_APPS if oidc else []),
        "SECOND_FACTOR": env.read("ABUSEDESK_SECOND_FACTOR", "risky", FACTORS.__getitem__, ", ".join(FACTORS)),
        "READ_LOG_DAYS": env.whole("ABUSEDESK_READ_LOG_DAYS", 365, low=1, high=3650),
        "APPROVAL_HOURS": env.whole("ABUSEDESK_APPROVAL_HOURS", 72, low=1, high=720),
        "SESSION_IDLE": MINUTE * env.whole("ABUSEDESK_SESSION_IDLE_MINUTES", 60, low=5, high=1440),
        "SESSION_COOKIE_AGE": HOUR * env.whole("ABUSEDESK_SESSION_HOURS", 12, low=1, high=168),
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": MINUTE * env.whole("ABUSEDESK_CONFIRM_MINUTES", 15, low=0, high=1440),
        **cookies(secure),
        **allauth_settings(name, base_url, behind_proxy),
        **oidc,
    }


def cookies(secure: bool) -> dict[str, Any]:
    # RFC 6265bis section 4.1.3.2: a browser takes a __Host- cookie by https alone, for this host alone.
    prefix = "__Host-" if secure else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}desk",
        "CSRF_COOKIE_NAME": f"{prefix}desk-csrf",
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_HTTPONLY": True,  # forms carry the token; no script needs to read it
        # Lax, not Strict: a link in a mail to the desk must find its reader logged in. Forms are guarded by the token.
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    }


def allauth_settings(name: str, base_url: str, behind_proxy: bool) -> dict[str, Any]:
    host = urlsplit(base_url).hostname
    return {
        "ACCOUNT_ADAPTER": "complaints.desk.log_in.AccountAdapter",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
        "ACCOUNT_EMAIL_NOTIFICATIONS": False,  # allauth sends no mail: the product's mail goes by the product's rules
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
        "ACCOUNT_PREVENT_ENUMERATION": True,
        "ACCOUNT_RATE_LIMITS": {"login": "30/m/ip", "login_failed": "20/m/ip,5/300s/key"},
        "ALLAUTH_TRUSTED_PROXY_COUNT": 1 if behind_proxy else 0,
        "MFA_ADAPTER": "complaints.desk.log_in.SecondFactorAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # nobody's mail address is verified: an administrator made the account
        "MFA_TOTP_ISSUER": name,
        "MFA_TOTP_TOLERANCE": 1,  # a clock may be half a minute wrong
        "MFA_RECOVERY_CODES_SHOW_ONCE": True,
        # Browsers themselves refuse passkeys without https, but on this machine.
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": host in ("localhost", "127.0.0.1"),
        "AUTHENTICATION_BACKENDS": [
            "allauth.account.auth_backends.AuthenticationBackend",
            "complaints.desk.log_in.RoleBackend",
        ],
    }


def oidc_settings(env: Environment) -> dict[str, Any]:
    """OpenID Connect, off unless ABUSEDESK_OIDC_URL names the provider. It makes nobody an account."""
    url = env.service("ABUSEDESK_OIDC_URL")
    client = env.text("ABUSEDESK_OIDC_CLIENT")
    secret = env.read("ABUSEDESK_OIDC_SECRET", "", str, "any text", secret=True)
    title = env.text("ABUSEDESK_OIDC_NAME", "your company account")
    claim = env.text("ABUSEDESK_OIDC_CLAIM", "preferred_username")
    second_factor = env.yes("ABUSEDESK_OIDC_SECOND_FACTOR")
    if not url:
        return {}
    if not client or not secret:
        env.faults.append("ABUSEDESK_OIDC_URL needs ABUSEDESK_OIDC_CLIENT and ABUSEDESK_OIDC_SECRET as well")
    app = {
        "provider_id": "oidc",
        "name": title,
        "client_id": client,
        "secret": secret,
        "settings": {"server_url": url, "oauth_pkce_enabled": True},
    }
    return {
        "OIDC_URL": url,
        "OIDC_CLAIM": claim,
        "OIDC_SECOND_FACTOR": second_factor,
        "SOCIALACCOUNT_ADAPTER": "complaints.desk.log_in_oidc.OidcAdapter",
        "SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX": "",
        "SOCIALACCOUNT_AUTO_SIGNUP": False,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
        "SOCIALACCOUNT_LOGIN_ON_GET": False,
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [app]}},
    }


def origins_of(settings: dict[str, Any]) -> list[str]:
    """Where the log-in form may end up: browsers hold form-action against the redirect too."""
    if not (url := settings.get("OIDC_URL")):
        return []
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"]
