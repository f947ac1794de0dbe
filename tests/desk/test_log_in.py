"""Logging in: password, second factor, passkeys, limits, sessions; and that nobody gets round any of it."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from complaints.cases.reads import forget_sessions
from complaints.desk import session_limits
from complaints.desk.log_in import AccountAdapter, MailForbidden
from complaints.models import Intervention, User
from complaints.vocabulary import CaseState
from tests.factories import make_case, make_user

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


def log_in(client: Client, name: str = "ada", password: str | None = None, to: str = "") -> str:
    """Where the log-in leads to; "" when it stays where it is."""
    response = client.post(f"/login{to}", {"login": name, "password": password or name})
    return str(response.get("Location", ""))


def code(secret: str = SECRET) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def with_app(user: User) -> User:
    TOTP.activate(user, SECRET)
    return user


@pytest.fixture
def factor_needed(settings: Settings) -> Settings:
    settings.SECOND_FACTOR = "risky"
    return settings


@pytest.fixture
def confirming(settings: Settings) -> Settings:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    return settings


def test_user_name_and_password_lead_to_the_page_that_was_asked_for(client: Client) -> None:
    make_user("ada")

    assert log_in(client, to="?next=/unread") == "/unread"
    assert client.get("/unread").status_code == 200


def test_nobody_is_led_to_another_site(client: Client) -> None:
    make_user("ada")

    assert log_in(client, to="?next=https://evil.example/") == "/"


def test_after_five_wrong_passwords_the_right_one_waits_too(client: Client) -> None:
    make_user("ada")
    for _ in range(5):
        assert log_in(client, password="wrong") == ""

    page = client.post("/login", {"login": "ada", "password": "ada"}).content.decode()
    assert "Too many tries with this name" in page
    assert not log_in(Client(REMOTE_ADDR="198.51.100.7"))  # counted by name, whatever the address


def test_a_log_in_from_an_account_that_is_switched_off_is_refused(client: Client) -> None:
    make_user("ada", is_active=False)

    log_in(client)

    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["account_signup", "account_reset_password", "account_set_password"])
def test_there_is_no_sign_up_and_no_reset_by_mail(client: Client, name: str) -> None:
    page = client.get(reverse(name))

    assert page.status_code == 404
    assert "Ask an administrator" in page.content.decode()
    assert client.post(reverse(name), {"username": "eve", "email": "eve@x.example"}).status_code == 405


def test_allauth_sends_no_mail() -> None:
    with pytest.raises(MailForbidden):
        AccountAdapter().send_mail("account/email/x", "ada@isp.example", {})
    assert mail.outbox == []


def test_a_refused_log_in_is_a_line_without_the_name(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    log_in(client, "my-password-typed-here", "x")

    assert [record.getMessage() for record in caplog.records if record.name == "complaints.desk.log_in"] == [
        "log-in refused from 127.0.0.1"
    ]


def test_who_has_a_second_factor_is_asked_for_it(client: Client) -> None:
    with_app(make_user("ada"))

    assert log_in(client, to="?next=/unread") == reverse("mfa_authenticate")
    assert client.get("/unread")["Location"].startswith("/login")  # not in yet
    assert "The code does not fit" in client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert client.post(reverse("mfa_authenticate"), {"code": code()})["Location"] == "/unread"


def test_a_recovery_code_is_good_once(client: Client) -> None:
    user = with_app(make_user("ada"))
    client.force_login(user)
    client.post(reverse("mfa_generate_recovery_codes"))
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = re.findall(r"<li>([\d ]+)</li>", page.partition('id="recovery_codes"')[2])
    assert len(codes) == 10

    for expected in ("/", ""):
        stranger = Client()
        log_in(stranger)
        answer = stranger.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert answer.get("Location", "") == expected


def test_secrets_of_apps_are_not_readable_in_the_database() -> None:
    with_app(make_user("ada"))

    assert SECRET not in str(Authenticator.objects.get().data)


@pytest.mark.parametrize("role", ["senior", "supervisor", "administrator"])
def test_who_can_cut_lines_sets_up_a_second_factor_first(client: Client, factor_needed: Settings, role: str) -> None:
    make_user("ada", role)
    log_in(client)

    for page in ("/", "/holds", "/unread"):
        assert client.get(page)["Location"] == reverse("mfa_index")
    assert client.post("/holds/mail/hold", {"reason": "x"})["Location"] == reverse("mfa_index")
    assert "Use an authenticator app" in client.get(reverse("mfa_index")).content.decode()


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_the_others_may_but_need_not(client: Client, factor_needed: Settings, role: str) -> None:
    make_user("ada", role)
    log_in(client)

    assert client.get("/").status_code == 200


def test_everybody_needs_one_where_the_setting_says_so(client: Client, settings: Settings) -> None:
    settings.SECOND_FACTOR = "everybody"
    make_user("ada")
    log_in(client)

    assert client.get("/")["Location"] == reverse("mfa_index")


def test_demo_accounts_need_none_in_the_demo_alone(client: Client, factor_needed: Settings) -> None:
    make_user("bruno", "senior", is_demo=True)
    log_in(client, "bruno")
    assert client.get("/")["Location"] == reverse("mfa_index")

    factor_needed.DEMO = True
    assert client.get("/").status_code == 200


def test_setting_up_an_app_opens_the_desk_and_gives_recovery_codes(client: Client, factor_needed: Settings) -> None:
    make_user("bruno", "senior")
    log_in(client, "bruno")
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'id="authenticator_secret">(\w+)<', page)[1]  # type: ignore[index]

    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})

    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert client.get("/").status_code == 200


def test_the_last_second_factor_of_who_needs_one_stays(client: Client, factor_needed: Settings) -> None:
    client.force_login(with_app(make_user("bruno", "senior")))

    page = client.post(reverse("mfa_deactivate_totp")).content.decode()

    assert "this is the only one" in page
    assert Authenticator.objects.filter(type="totp").exists()


def test_a_dangerous_act_asks_again_who_one_is_and_then_goes_on(client: Client, confirming: Settings) -> None:
    make_user("bruno", "senior")
    log_in(client, "bruno")
    case = make_case(state=CaseState.ESCALATED)
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 1000
    session.save()
    given = {"kind": "suspend", "reason": "It does not stop", "stay": case.stay}

    asked = client.post(f"/case/{case.pk}/measures", given)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not Intervention.objects.exists()
    refused = client.post(asked["Location"], {"password": "wrong", "next": f"/case/{case.pk}/measures"})
    assert "does not fit" in refused.content.decode()
    assert not Intervention.objects.exists()

    done = client.post(asked["Location"], {"password": "bruno", "next": f"/case/{case.pk}/measures"})
    assert done["Location"] == f"/case/{case.pk}"
    assert Intervention.objects.get().reason == "It does not stop"


def test_who_has_just_logged_in_is_not_asked_again(client: Client, confirming: Settings) -> None:
    make_user("bruno", "senior")
    log_in(client, "bruno")
    case = make_case(state=CaseState.ESCALATED)

    client.post(f"/case/{case.pk}/measures", {"kind": "suspend", "reason": "x", "stay": case.stay})

    assert Intervention.objects.count() == 1


def test_a_changed_password_ends_the_other_sessions(client: Client) -> None:
    make_user("ada")
    other = Client()
    log_in(client)
    log_in(other)
    new = "a quite long new one"

    client.post(reverse("account_change_password"), {"oldpassword": "ada", "password1": new, "password2": new})

    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert log_in(Client(), password=new) == "/"


def test_a_weak_new_password_is_refused_with_its_reason(client: Client) -> None:
    make_user("ada")
    log_in(client)

    page = client.post(
        reverse("account_change_password"), {"oldpassword": "ada", "password1": "short", "password2": "short"}
    )

    assert "too short" in page.content.decode()


def test_another_session_is_seen_and_ended(client: Client) -> None:
    user = make_user("ada")
    laptop = Client(headers={"User-Agent": "Lost Laptop"}, REMOTE_ADDR="198.51.100.9")
    log_in(client)
    log_in(laptop)
    page = client.get("/account/").content.decode()
    assert "Lost Laptop" in page
    assert "198.51.100.9" in page
    lost = user.usersession_set.get(user_agent="Lost Laptop")

    client.post(f"/account/sessions/{lost.pk}/end")

    assert laptop.get("/").status_code == 302
    assert client.get("/").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(client: Client) -> None:
    make_user("ada")
    eve = make_user("eve")
    other = Client()
    log_in(client)
    log_in(other, "eve")

    assert client.post(f"/account/sessions/{eve.usersession_set.get().pk}/end").status_code == 404
    assert other.get("/").status_code == 200


def aged(client: Client, name: str, seconds: int) -> None:
    session = client.session
    session[name] -= seconds
    session.save()


def test_an_idle_session_ends_and_says_so(client: Client) -> None:
    make_user("ada")
    log_in(client)
    aged(client, session_limits.SEEN, 3601)

    page = client.get("/", follow=True)

    assert page.redirect_chain[0][0].startswith("/login")
    assert "You were logged out, because" in page.content.decode()


def test_a_page_that_renews_itself_keeps_no_session_alive(client: Client) -> None:
    make_user("ada")
    log_in(client)
    aged(client, session_limits.SEEN, 3000)
    client.get("/?part=live", headers={"HX-Request": "true"})
    aged(client, session_limits.SEEN, 700)

    assert client.get("/").status_code == 302


def test_use_keeps_a_session_alive_but_not_for_ever(client: Client) -> None:
    make_user("ada")
    log_in(client)
    aged(client, session_limits.SEEN, 3000)
    client.get("/unread")
    aged(client, session_limits.SEEN, 3000)
    assert client.get("/").status_code == 200

    aged(client, session_limits.BEGAN, 12 * 3600 + 5)
    assert client.get("/").status_code == 302


def test_logging_out_takes_the_session_away(client: Client) -> None:
    make_user("ada")
    log_in(client)

    client.post("/logout")

    assert not Session.objects.exists()


def test_sessions_that_have_run_out_are_forgotten_and_the_others_stay(client: Client) -> None:
    user, now = make_user("ada"), timezone.now()
    old = Client()
    log_in(client)
    log_in(old)
    Session.objects.filter(pk=old.session.session_key).update(expire_date=now - timedelta(minutes=1))

    assert forget_sessions(now=now) == 1
    assert forget_sessions(now=now) == 0

    assert [each.session_key for each in user.usersession_set.all()] == [client.session.session_key]
    assert client.get("/").status_code == 200
