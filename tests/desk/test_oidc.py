"""Logging in by OpenID Connect, against a provider on loopback that speaks the protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from django.core.management import CommandError, call_command

from abusedesk.environment import Environment
from abusedesk.log_in import log_in_settings


class Provider(BaseHTTPRequestHandler):
    """Discovery, token and user info; the code of the redirect is the name it vouches for."""

    def answer(self, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        site = f"http://{self.headers['Host']}"
        if self.path == "/userinfo":
            name = self.headers["Authorization"].removeprefix("Bearer token-of-")
            self.answer({"sub": f"id-of-{name}", "preferred_username": name.removeprefix("new-")})
        else:
            self.answer({
                "issuer": site, "authorization_endpoint": f"{site}/authorize", "token_endpoint": f"{site}/token",
                "userinfo_endpoint": f"{site}/userinfo", "jwks_uri": f"{site}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            })  # fmt: skip

    def do_POST(self) -> None:
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        knows = self.headers.get("Authorization") == f"Basic {base64.b64encode(b'desk:shared').decode()}"
        assert knows
        assert given["code_verifier"]
        self.answer({"access_token": f"token-of-{given['code'][0]}", "token_type": "Bearer", "expires_in": 60})

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.timeout(120)
def test_the_provider_says_who_it_is_and_the_desk_who_may(provider: str, tmp_path: Path, migrated: Path) -> None:
    shutil.copyfile(migrated, tmp_path / "site.sqlite3")  # its own migrate adds the tables of this way to log in
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.desk.oidc_site", provider],
        env=environment | {"OIDC_DATABASE": str(tmp_path / "site.sqlite3")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)

    assert found["ada"] == {"button": "True", "form-action": "True", "pkce": "S256", "ends at": "/", "queue": "200"}
    assert (found["stranger"]["ends at"], found["stranger"]["queue"]) == ("/login", "302")
    # Somebody else got her user name at the provider: not her account, until an administrator says so.
    assert (found["new-ada"]["ends at"], found["new-ada"]["queue"]) == ("/login", "302")
    assert found["forgotten"] == "ada was known by 1 company account, and by none now"
    assert found["new-ada again"]["queue"] == "200"


def test_company_accounts_are_forgotten_where_there_are_some() -> None:
    with pytest.raises(CommandError, match="no provider of company accounts is set"):
        call_command("forget_company_account", "ada")


def test_it_is_off_unless_a_provider_is_named() -> None:
    found = log_in_settings(Environment({}), base_url="https://desk.example", name="x", behind_proxy=False)

    assert "allauth.socialaccount" not in found["LOG_IN_APPS"]


def test_a_provider_without_client_and_secret_is_refused_at_start() -> None:
    env = Environment({"ABUSEDESK_OIDC_URL": "https://id.isp.example"})
    log_in_settings(env, base_url="https://desk.example", name="x", behind_proxy=False)

    assert env.faults == ["ABUSEDESK_OIDC_URL needs ABUSEDESK_OIDC_CLIENT and ABUSEDESK_OIDC_SECRET as well"]
