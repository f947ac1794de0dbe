"""The site with OpenID Connect switched on, in a process of its own: `python -m tests.desk.oidc_site PROVIDER_URL`.

Logs in as a browser would, the provider's page left out, and prints where each user name ends up, as JSON.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

os.environ |= {
    "ABUSEDESK_OIDC_URL": sys.argv[1],
    "ABUSEDESK_OIDC_CLIENT": "desk",
    "ABUSEDESK_OIDC_SECRET": "shared",
    "ABUSEDESK_OIDC_NAME": "Example Net log-in",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
}

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from tests.factories import make_user  # noqa: E402


def log_in(code: str) -> dict[str, str]:
    """`code` is the user name that the provider will vouch for."""
    client = Client()
    page = client.get("/login")
    begun = client.post("/account/company/oidc/login/")
    asked = parse_qs(urlsplit(begun["Location"]).query)
    back = client.get("/account/company/oidc/login/callback/", {"code": code, "state": asked["state"][0]})
    return {
        "button": str("Use Example Net log-in" in page.content.decode()),
        "form-action": str(sys.argv[1] in page["Content-Security-Policy"]),
        "pkce": asked["code_challenge_method"][0],
        "ends at": back["Location"],
        "queue": str(client.get("/").status_code),
    }


setup_test_environment()
settings.DATABASES["default"]["NAME"] = os.environ["OIDC_DATABASE"]
call_command("migrate", verbosity=0)
make_user("ada")
found: dict[str, Any] = {name: log_in(name) for name in ("ada", "stranger", "ada", "new-ada")}
told = io.StringIO()
call_command("forget_company_account", "ada", stdout=told)
found["forgotten"] = told.getvalue().strip()
found["new-ada again"] = log_in("new-ada")
sys.stdout.write(json.dumps(found))
