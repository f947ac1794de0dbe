from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from complaints.desk.urls import urlpatterns
from tests.factories import make_case, make_user

PARTS = {"<int:pk>": {"pk": 1}, "<slug:verb>": {"verb": "undo"}, "<slug:what>": {"what": "mail"}}
EVERY_PAGE = [
    (p.name, {key: value for part, given in PARTS.items() if part in str(p.pattern) for key, value in given.items()})
    for p in urlpatterns
]
SUPERVISORS_ONLY = ["offenders", "offenders-csv"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("name", "kwargs"), EVERY_PAGE, ids=[name for name, _ in EVERY_PAGE])
def test_every_page_sends_strangers_to_the_log_in(
    client: Client, name: str, kwargs: dict[str, int | str], method: str
) -> None:
    url = reverse(f"desk:{name}", kwargs=kwargs)

    response = getattr(client, method)(url)

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('login')}?next={url}"


@pytest.mark.django_db
def test_a_live_part_sends_the_whole_window_to_the_log_in(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/case/7?x=1"}

    response = client.get(reverse("desk:queue"), headers=headers)

    assert response["HX-Redirect"] == "/login?next=/case/7%3Fx%3D1"


@pytest.mark.parametrize("name", SUPERVISORS_ONLY)
def test_an_analyst_does_not_see_the_supervisors_page(ada: Client, name: str) -> None:
    response = ada.get(reverse(f"desk:{name}"))

    assert response.status_code == 403
    assert "This page is for supervisors." in response.content.decode()


@pytest.mark.parametrize("name", SUPERVISORS_ONLY)
def test_a_supervisor_sees_the_supervisors_page(carla: Client, name: str) -> None:
    assert carla.get(reverse(f"desk:{name}")).status_code == 200


def test_the_menu_offers_only_what_the_user_may_open(ada: Client, carla: Client) -> None:
    assert reverse("desk:offenders") not in ada.get("/").content.decode()
    assert reverse("desk:offenders") in carla.get("/").content.decode()


@pytest.mark.parametrize("action", ["notify", "check", "verify", "assign", "note"])
def test_nothing_is_done_by_following_a_link(ada: Client, action: str) -> None:
    case = make_case()

    assert ada.get(reverse(f"desk:{action}", args=[case.pk])).status_code == 405


def test_an_unknown_case_is_a_404_with_a_way_back(ada: Client) -> None:
    response = ada.get(reverse("desk:case", args=[4711]))

    assert response.status_code == 404
    assert "no such case" in response.content.decode()


def test_logging_out_needs_a_post(ada: Client) -> None:
    assert ada.get(reverse("logout")).status_code == 405
    assert ada.post(reverse("logout")).status_code == 302
    assert ada.get("/").status_code == 302


@pytest.mark.django_db
def test_the_demos_log_ins_are_named_in_the_demo_alone(client: Client, settings: object) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    assert "<code>ada</code>" not in client.get(reverse("login")).content.decode()
    settings.DEMO = True  # type: ignore[attr-defined]
    page = client.get(reverse("login")).content.decode()
    assert "<code>ada</code>" in page
    assert "exist only in the demo" in page


@pytest.mark.django_db
def test_a_wrong_password_is_told_without_saying_which_half_was_wrong(client: Client) -> None:
    make_user("ada")

    page = client.post(reverse("login"), {"login": "ada", "password": "x"}).content.decode()

    assert "User name and password do not fit" in page


def test_pages_carry_no_inline_script_or_style(ada: Client) -> None:
    case = make_case()
    for url in ("/", f"/case/{case.pk}", "/unread", "/unattributed", "/login"):
        page = ada.get(url, follow=True)
        text = page.content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert "'unsafe-inline'" not in page["Content-Security-Policy"]
        assert "'unsafe-eval'" not in page["Content-Security-Policy"]
        assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_a_form_from_elsewhere_changes_nothing_and_says_so(ada: Client) -> None:
    case = make_case()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ada.cookies

    response = strict.post(reverse("desk:note", args=[case.pk]), {"text": "x"})

    assert response.status_code == 403
    assert "Nothing was sent" in response.content.decode()
    assert case.events.count() == 0


def test_the_page_of_a_fault_needs_nothing_that_could_be_broken() -> None:
    assert "nothing is lost" in render_to_string("500.html")


def test_a_refusal_is_one_line_of_the_log_and_no_traceback(ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert ada.get("/offenders").status_code == 403

    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [("Forbidden: /offenders", None)]
