from pathlib import Path

import pytest
from pytest_django import Settings

from abusedesk.start import StartRefused, doubts, make_secret_key, require_safe_start
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_start_without_a_secret_key_is_refused(settings: Settings) -> None:
    settings.HAS_SECRET_KEY = False
    with pytest.raises(StartRefused, match=r"no secret key: run `manage\.py make_secret_key` once"):
        require_safe_start()


def test_a_production_start_with_demo_accounts_is_refused() -> None:
    make_user("ada", is_demo=True)
    with pytest.raises(StartRefused, match=r"demo accounts \(ada\)"):
        require_safe_start()


def test_a_production_start_with_the_demos_key_is_refused(settings: Settings) -> None:
    settings.SECRET_KEY = "demo-only-key-that-a-production-start-refuses"
    with pytest.raises(StartRefused, match="the demo's key"):
        require_safe_start()


def test_a_production_start_with_a_key_that_can_be_guessed_is_refused(settings: Settings) -> None:
    settings.SECRET_KEY = "secret"
    with pytest.raises(StartRefused, match="fewer than 20 characters"):
        require_safe_start()


@pytest.mark.parametrize("text", [None, "[1, 2", "lists: [{name: x}]"])
def test_a_start_with_a_catalogue_that_cannot_be_read_is_refused(
    settings: Settings, tmp_path: Path, text: str | None
) -> None:
    settings.CHECK_LISTS_FILE = str(tmp_path / "lists.yaml")
    if text is not None:
        (tmp_path / "lists.yaml").write_text(text)
    with pytest.raises(StartRefused, match="ABUSEDESK_LISTS_FILE cannot be used"):
        require_safe_start()


def test_the_demo_may_have_demo_accounts(settings: Settings) -> None:
    settings.DEMO = True
    make_user("ada", is_demo=True)
    require_safe_start()


def test_a_production_start_with_its_own_key_and_people_is_fine() -> None:
    make_user("ada")
    require_safe_start()


def test_a_key_is_made_once_for_this_user_alone(settings: Settings, tmp_path: Path) -> None:
    settings.HAS_SECRET_KEY, settings.DATA_DIR, settings.KEY_FILE = False, tmp_path, tmp_path / "secret_key"

    assert make_secret_key()
    assert not make_secret_key()
    assert settings.KEY_FILE.stat().st_mode & 0o777 == 0o600
    assert settings.KEY_FILE.read_text().strip() == settings.SECRET_KEY


def test_what_would_reach_customers_wrong_is_said_at_start(settings: Settings) -> None:
    settings.BASE_URL, settings.DESK_EMAIL = "http://127.0.0.1:8080", "abuse@localhost"
    settings.PROBE_DOMAIN, settings.DNS_RESOLVERS = "", ()
    assert [doubt.rpartition(" ")[2] for doubt in doubts()] == [
        "ABUSEDESK_BASE_URL",
        "ABUSEDESK_EMAIL",
        "ABUSEDESK_PROBE_DOMAIN",
        "ABUSEDESK_DNS",
    ]

    settings.BASE_URL, settings.DESK_EMAIL = "https://desk.isp.example", "abuse@isp.example"
    settings.PROBE_DOMAIN, settings.DNS_RESOLVERS = "probe.isp.example", (("127.0.0.1", 53),)
    assert doubts() == []
