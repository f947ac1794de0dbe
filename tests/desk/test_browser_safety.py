"""What every answer tells the browser: on each page of desk, log-in, account, admin and customer's side."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from http.cookies import Morsel

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from pytest_django import Settings

from abusedesk.environment import Environment
from abusedesk.log_in import log_in_settings
from complaints.cases.tasks import open_task
from complaints.desk.roles import MAY, Role
from complaints.interventions import decide_measure
from complaints.notices.compose import queue_notice
from complaints.playbooks.loading import begin_with_shipped
from complaints.vocabulary import MeasureKind
from tests.desk.conftest import logged_in
from tests.desk.permissions import OPENED, POSTED
from tests.desk.test_permissions import URLS, by_capability
from tests.factories import NOON, make_case, make_complaint, make_message, make_run, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
OURS = list(admin.site._registry)
INLINE = re.compile(r"<[^>]+\s(?:style|on[a-z]+)\s*=|<style\b|javascript:", re.I)
SCRIPT = re.compile(r"<script\b([^>]*)>", re.I)


def make_a_bit_of_everything() -> None:
    case = make_case()
    make_complaint(case, reporter="a@x.example")
    make_run(case)
    queue_notice(case, "notify", occurrence=1, now=NOON)
    begin_with_shipped(now=NOON)
    make_complaint(reporter="b@x.example")
    make_message(b"Subject: odd\r\n\r\nodd", state="unread")
    open_task("playbook", "ring", title="Ring them", actor="machine", now=NOON, case=case)
    decide_measure(
        case, MeasureKind.SUSPEND, step="x", occurrence=1, actor="ada", reason="x", now=timezone.now(), undo=timedelta()
    )


def must_be_strict(page: HttpResponse, where: str) -> None:
    policy = page["Content-Security-Policy"]
    assert "unsafe-inline" not in policy, where
    assert "unsafe-eval" not in policy, where
    if policy.startswith("sandbox; default-src 'none'"):
        return  # a download, which no browser is asked to understand
    assert "frame-ancestors 'none'" in policy, where
    assert "object-src 'none'" in policy, where
    assert "base-uri 'none'" in policy, where
    assert page["Referrer-Policy"] == "same-origin", where
    assert "camera=()" in page["Permissions-Policy"], where
    assert page["X-Content-Type-Options"] == "nosniff", where
    assert page["Cross-Origin-Opener-Policy"] == "same-origin", where
    if "html" not in page["Content-Type"]:
        return
    text = page.content.decode()
    assert not INLINE.search(text), (where, INLINE.search(text))
    for attributes in SCRIPT.findall(text):
        assert "src=" in attributes or "application/json" in attributes or "nonce=" in attributes, (where, attributes)


@pytest.mark.parametrize("name", [name for name in OPENED if name in URLS and name not in ("desk:notice-html", "icon")])
def test_every_page_is_strict(name: str) -> None:
    make_a_bit_of_everything()
    client = Client()
    client.force_login(make_user("root", is_superuser=True))

    must_be_strict(client.get(reverse(name, kwargs=URLS[name]), follow=True), name)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_every_page_of_the_admin_is_strict(model: type) -> None:
    make_a_bit_of_everything()
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    name = f"admin:complaints_{model._meta.model_name}"  # type: ignore[attr-defined]

    must_be_strict(client.get(reverse(f"{name}_changelist")), name)
    must_be_strict(client.get(reverse(f"{name}_add")), name)
    if row := model.objects.first():  # type: ignore[attr-defined]
        must_be_strict(client.get(reverse(f"{name}_change", args=[row.pk])), name)


@pytest.mark.parametrize("path", ["/login", "/c/nonsense", "/relay-test", "/nowhere", "/account/sign-up"])
def test_pages_for_strangers_are_strict(client: Client, path: str) -> None:
    must_be_strict(client.get(path), path)


def test_a_mail_of_ours_is_shown_in_a_frame_that_may_do_nothing() -> None:
    case = make_case()
    notice = queue_notice(case, "notify", occurrence=1, now=NOON)
    page = logged_in("ada", "analyst").get(f"/notice/{notice.pk}/html")

    assert page["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def cookies_of(base_url: str) -> dict[str, object]:
    env = Environment({})
    return log_in_settings(env, base_url=base_url, name="x", behind_proxy=False)


def test_cookies_of_a_site_by_https_are_for_it_alone() -> None:
    found = cookies_of("https://desk.isp.example")

    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("__Host-desk", "__Host-desk-csrf")
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY"):
        assert found[name] is True
    assert found["SESSION_COOKIE_SAMESITE"] == found["CSRF_COOKIE_SAMESITE"] == "Lax"


def test_by_http_on_this_machine_they_work_as_well(client: Client, settings: Settings) -> None:
    make_user("ada")
    client.post("/login", {"login": "ada", "password": "ada"})
    session: Morsel[str] = client.cookies[settings.SESSION_COOKIE_NAME]

    assert (session["httponly"], session["samesite"], session["secure"]) == (True, "Lax", "")
    assert session["max-age"] == ""  # ends with the browser


POSTS = re.compile(r'<form[^>]*method="post"[^>]*>|<[^>]+\b(?:hx-post|formaction)="[^"]*"[^>]*>', re.I)
TARGET = re.compile(r'\b(?:hx-post|formaction|action)="([^"?]*)')


def posts_of(text: str, path: str) -> Iterator[str]:
    """The names of the addresses to which a page's forms and buttons post."""
    for tag in POSTS.findall(text):
        if 'id="do-measure"' in tag:
            continue  # its buttons say where it goes
        target = TARGET.search(tag)
        match = resolve(html.unescape(target[1]) if target and target[1] else path)
        yield f"{match.app_name}:{match.url_name}" if match.app_name else str(match.url_name)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SENIOR, Role.AUDITOR])
def test_nobody_gets_a_button_that_would_be_refused(role: Role) -> None:
    make_a_bit_of_everything()
    client, dead = logged_in("somebody", role), set()
    for name in by_capability(OPENED):
        page = client.get(reverse(name, kwargs=URLS[name]), follow=True)
        if page.status_code != 200 or "html" not in page["Content-Type"]:
            continue
        for target in posts_of(page.content.decode(), page.wsgi_request.path):
            if target != "logout" and POSTED[target] not in MAY[role]:
                dead.add(f"{name}: {target} takes {POSTED[target]}")

    assert sorted(dead) == []
