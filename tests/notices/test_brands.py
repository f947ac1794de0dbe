"""Several brands of one provider: each writes in its own name, and none in another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from complaints.models import Brand, Notice
from complaints.notices.bounces import record_bounces
from complaints.notices.delivery import deliver_due
from complaints.notices.senders import our_addresses, sender_of
from complaints.notices.verp import bounce_address
from complaints.vocabulary import CaseState
from tests.factories import NOON, make_case, make_contact, make_contract
from tests.notices.rows import queued
from tests.notices.test_bounces import bounce

pytestmark = pytest.mark.django_db
TO = "it@brenn.example"


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DESK_NAME = "abuse@isp.example", "Example Net"
    settings.BASE_URL = "https://abuse.isp.example"


def make_brand(name: str = "nord", **columns) -> Brand:
    filled = {"title": "Nordnetz", "email": "abuse@nordnetz.example", "colour": "#7a1f3d", "phone": "+49 40 5550100"}
    return Brand.objects.create(name=name, **(filled | columns))


def case_of(contract: str, brand: str):
    made = make_contract(contract, email=TO, brand=brand)
    return make_case(made, state=CaseState.NOTIFIED, deadline_at=NOON + timedelta(days=3))


def test_a_letter_is_sent_and_signed_in_the_name_of_the_contracts_brand(real_smtp):
    make_brand(signature="Nordnetz GmbH\n\n Hafenstraße 1, Kiel ")
    notice = queued(case_of("C-1", "nord"))
    deliver_due(now=NOON)
    (caught,) = real_smtp.messages
    assert caught.mail["From"] == "Nordnetz <abuse@nordnetz.example>"
    assert caught.mail["Reply-To"] == "abuse@nordnetz.example"
    assert caught.mail_from == bounce_address(notice.pk, domain="nordnetz.example")
    assert caught.mail["Message-ID"].endswith("@nordnetz.example>")
    text = caught.mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "Nordnetz, abuse@nordnetz.example, +49 40 5550100\n\nNordnetz GmbH\nHafenstraße 1, Kiel\n" in text
    html = caught.mail.get_body(("html",)).get_content()
    assert "#7a1f3d" in html
    assert "Hafenstraße 1, Kiel" in html
    assert "Example Net" not in text + html


def test_the_bounce_of_a_brands_letter_is_known(real_smtp):
    make_brand()
    notice = queued(case_of("C-1", "nord"))
    deliver_due(now=NOON)
    record_bounces([bounce(bounce_address(notice.pk, domain="nordnetz.example"))], now=NOON)
    assert Notice.objects.get().state == "failed"


def test_two_brands_never_share_a_digest(real_smtp):
    make_brand()
    make_brand("sued", title="Südnetz", email="abuse@suednetz.example")
    for number in range(6):
        queued(case_of(f"C-{number}", ("nord", "sued", "")[number % 3]))
    deliver_due(now=NOON)
    assert sorted(caught.mail["Reply-To"] for caught in real_smtp.messages) == [
        "abuse@isp.example", "abuse@nordnetz.example", "abuse@suednetz.example",
    ]  # fmt: skip
    for caught in real_smtp.messages:
        names = {"Nordnetz", "Südnetz", "Example Net"}
        bodies = "".join(caught.mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
        assert {name for name in names if name in bodies} == {caught.mail["From"].addresses[0].display_name}
        assert bodies.count("/c/") == 2 * 3


@pytest.mark.parametrize(
    ("of_contract", "default", "name"),
    [("nord", False, "Nordnetz"), ("other", False, "Example Net"), ("other", True, "Main"), ("", True, "Main"),
     ("nord", True, "Nordnetz")],
)  # fmt: skip
def test_the_default_brand_speaks_where_none_is_listed(of_contract, default, name):
    make_brand()
    make_brand("main", title="Main", default=default)
    assert sender_of(case_of("C-1", of_contract)).name == name


def test_a_brand_without_an_address_of_its_own_writes_from_the_desks(real_smtp):
    make_brand(email="")
    queued(case_of("C-1", "nord"))
    deliver_due(now=NOON)
    assert real_smtp.messages[0].mail["From"] == "Nordnetz <abuse@isp.example>"


def test_a_name_with_commas_and_quotes_stays_a_name(real_smtp):
    make_brand(title='Müller, "Netz" & Söhne')
    queued(case_of("C-1", "nord"))
    deliver_due(now=NOON)
    (address,) = real_smtp.messages[0].mail["From"].addresses
    assert (address.display_name, address.addr_spec) == ("Müller, 'Netz' & Söhne", "abuse@nordnetz.example")


def test_mail_from_a_brands_address_is_our_own_and_never_answered():
    make_brand()
    assert our_addresses() == ("abuse@isp.example", "abuse@nordnetz.example")


@pytest.mark.parametrize("colour", ["blue", "#FFF", "#6db3f2", "#0b5cad; background:url(x)"])
def test_a_colour_on_which_white_cannot_be_read_is_refused(colour):
    with pytest.raises(ValidationError, match=r"colour|contrast"):
        Brand(name="nord", title="Nordnetz", colour=colour).full_clean()


def test_the_next_contact_gets_the_same_words_and_dates(real_smtp):
    case = case_of("C-1", "")
    make_contact(case.contract, email="chef@brenn.example", role="technical")
    coming = [(NOON + timedelta(days=3), "escalated"), (NOON + timedelta(days=3), "limit_25")]
    queued(case, "notify", coming=coming)
    queued(case, "message", words="Please call me about the printer.")
    deliver_due(now=NOON)
    for notice in list(Notice.objects.all()):
        record_bounces([bounce(bounce_address(notice.pk), extra=f"X-Try: {notice.pk}\n")], now=NOON)
    first, again = Notice.objects.filter(step="notify").order_by("recipient")
    assert again.to_email == "chef@brenn.example"
    assert "we will block outgoing mail" in " ".join(again.text.split())
    assert again.text.replace("@@", "") == first.text.replace("@@", "")
    assert "Please call me about the printer." in Notice.objects.get(step="message", recipient=2).text


@pytest.fixture
def editor(client, django_user_model):
    user = django_user_model.objects.create_superuser("eve", "eve@isp.example", "eve")
    client.force_login(user)
    return client


def test_the_admin_shows_a_brands_letter_and_sends_it_to_nobody_but_the_editor(editor, real_smtp):
    brand = make_brand()
    case_of("C-1", "")
    shown = editor.get(f"/admin/complaints/brand/{brand.pk}/letter/?lang=de").content.decode()
    assert "Nordnetz" in shown
    assert "Warum das für Sie wichtig ist" in shown
    assert "/c/" not in shown
    editor.post(f"/admin/complaints/brand/{brand.pk}/test-mail/", {"lang": "fr"})
    (caught,) = real_smtp.messages
    assert caught.rcpt_tos == ["eve@isp.example"]
    assert caught.mail["From"] == "Nordnetz <abuse@nordnetz.example>"
    assert caught.mail["Subject"].strip().startswith("Test: ")
    assert Notice.objects.count() == 0


def test_who_may_not_edit_brands_gets_no_test_mail(client, django_user_model, real_smtp):
    brand = make_brand()
    case_of("C-1", "")
    user = django_user_model.objects.create_user("sam", "sam@isp.example", "sam", is_staff=True)
    client.force_login(user)
    assert client.post(f"/admin/complaints/brand/{brand.pk}/test-mail/").status_code in (302, 403)
    assert client.get(f"/admin/complaints/brand/{brand.pk}/letter/").status_code in (302, 403)
    assert real_smtp.messages == []


def test_without_a_case_the_admin_says_that_there_is_nothing_to_show(editor):
    brand = make_brand()
    assert editor.get(f"/admin/complaints/brand/{brand.pk}/letter/").status_code == 404
    assert "Test mail to me" in editor.get(f"/admin/complaints/brand/{brand.pk}/change/").content.decode()
