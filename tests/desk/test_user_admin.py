"""People and keys, as an administrator looks after them."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from complaints.api.keys import make_key
from complaints.models import ApiKey, User
from tests.desk.conftest import logged_in
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db
ADD = reverse("admin:complaints_user_add")
KEYS = reverse("admin:complaints_apikey_changelist")


@pytest.fixture
def dora() -> Client:
    """An administrator who is no superuser and has no Django permission of her own."""
    return logged_in("dora", "administrator")


def change(client: Client, user: User, **given: Any) -> Any:
    form = {"username": user.username, "is_active": "on", "role": "analyst", "only_networks": "", "only_brands": ""}
    return client.post(reverse("admin:complaints_user_change", args=[user.pk]), form | given)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_new_user_is_an_analyst_unless_another_role_is_chosen(dora: Client) -> None:
    page = dora.get(ADD).content.decode()
    assert '<option value="analyst" selected>' in page

    dora.post(ADD, {"username": "eva", "password1": "a quite long one", "password2": "a quite long one",
                    "usable_password": "true", "role": "senior"})  # fmt: skip

    assert User.objects.get(username="eva").role_names == {"senior"}


def test_a_role_is_one_role(dora: Client) -> None:
    ada = make_user("ada", "analyst")

    change(dora, ada, role="auditor")
    assert fresh(ada).role_names == {"auditor"}
    change(dora, ada, role="")
    assert fresh(ada).role_names == set()


def test_a_restriction_is_written_one_to_a_line(dora: Client) -> None:
    ada = make_user("ada")

    change(dora, ada, only_networks="192.0.2.0/24\n 2001:db8::/32 \n\n192.0.2.0/24", only_brands="Nordlicht")

    assert fresh(ada).only_networks == ["192.0.2.0/24", "2001:db8::/32"]
    assert fresh(ada).only_brands == ["Nordlicht"]
    page = dora.get(reverse("admin:complaints_user_change", args=[ada.pk])).content.decode()
    assert "192.0.2.0/24\n2001:db8::/32" in page


def test_a_restriction_that_is_no_prefix_is_refused(dora: Client) -> None:
    ada = make_user("ada")

    page = change(dora, ada, only_networks="192.0.2.1/24").content.decode()

    assert "is no prefix as 192.0.2.0/24" in page
    assert fresh(ada).only_networks == []


def test_nobody_makes_themselves_a_superuser(dora: Client) -> None:
    root, me = make_user("root", is_superuser=True), User.objects.get(username="dora")

    change(dora, me, role="administrator", is_superuser="on", is_staff="on")
    assert not fresh(me).is_superuser
    assert change(dora, root).status_code == 403
    assert dora.post(reverse("admin:auth_user_password_change", args=[root.pk])).status_code == 403


@pytest.mark.parametrize("role", ["analyst", "senior", "supervisor", "auditor"])
def test_the_admin_is_for_administrators(role: str) -> None:
    client = logged_in("somebody", role)

    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get(ADD, follow=True).status_code == 403


def test_the_admin_has_one_log_in_the_desks_own(client: Client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login?next=")


def test_the_front_page_has_sections_and_nothing_of_other_apps(dora: Client) -> None:
    page = dora.get("/admin/").content.decode()

    assert (
        page.index("People and keys") < page.index("The network") < page.index("Customers") < page.index("To look at")
    )
    for absent in ("Authenticators", "User sessions", "Groups", "Email addresses"):
        assert absent not in page


def test_a_lost_second_factor_is_taken_away_and_the_sessions_with_it(dora: Client) -> None:
    bruno, lost = make_user("bruno", "senior"), Client()
    lost.post("/login", {"login": "bruno", "password": "bruno"})
    TOTP.activate(bruno, "JBSWY3DPEHPK3PXP")

    dora.post(reverse("admin:complaints_user_changelist"), {"action": "reset_factor", "_selected_action": [bruno.pk]})

    assert not Authenticator.objects.exists()
    assert lost.get("/").status_code == 302


def test_who_gives_out_rights_says_again_who_they_are(dora: Client, settings: Any) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
    ada = make_user("ada")

    asked = change(dora, ada, role="administrator")

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert fresh(ada).role_names == {"analyst"}
    dora.post(asked["Location"], {"password": "dora", "next": asked.wsgi_request.path})
    assert fresh(ada).role_names == {"administrator"}


def test_a_key_is_restricted_and_revoked_but_not_made_here(dora: Client) -> None:
    key, _ = make_key("crm", scopes=["whose"], actor="root", now=NOON)

    dora.post(
        reverse("admin:complaints_apikey_change", args=[key.pk]), {"only_networks": "192.0.2.0/24", "only_brands": ""}
    )
    assert ApiKey.objects.get().only_networks == ["192.0.2.0/24"]
    dora.post(KEYS, {"action": "revoke", "_selected_action": [key.pk]})
    assert ApiKey.objects.get().revoked_at is not None
    assert dora.get(reverse("admin:complaints_apikey_add")).status_code == 403


def test_roles_and_lost_factors_from_the_command_line() -> None:
    bruno = make_user("bruno")
    TOTP.activate(bruno, "JBSWY3DPEHPK3PXP")

    call_command("give_role", "bruno", "senior")
    call_command("reset_second_factor", "bruno")

    assert fresh(bruno).role_names == {"senior"}
    assert not Authenticator.objects.exists()
    with pytest.raises(CommandError, match="nobody has the user name 'eve'"):
        call_command("give_role", "eve", "senior")
