"""What makes two complaints parts of one spam run, and above all what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.cases.campaign_marks import LIKE, SUBJECT, TEXT, URLS, alike, by_text, marks_of, minhash, place_of

WATCHES = (
    "Dear friend, our exclusive collection of Swiss luxury watches is now available for a very special price. Order"
    " today and receive free shipping to every country. Only forty pieces are left in our storehouse, so hurry up and"
    " visit our shop before the offer ends on Sunday evening. Best regards from the whole team of the watch house."
)
LOAN = (
    "Good news for every home owner: the central bank has lowered its rates again, and we can offer you a loan at two"
    " percent without any questions about your income. Fill in the short form that you find behind the link and our"
    " adviser calls you back within one hour, also at the week-end. This is a limited programme of our institute."
)


def kinds(**given: object) -> list[str]:
    told = {"message_id": "", "subject": "", "urls": (), "text": "", **given}
    return [mark.kind for mark in marks_of(**told)]  # type: ignore[arg-type]


def shared(first: dict[str, object], second: dict[str, object]) -> set[str]:
    both = [
        {m.name for m in marks_of(**{"message_id": "", "subject": "", "urls": (), "text": "", **each})}  # type: ignore[arg-type]
        for each in (first, second)
    ]
    return {name.partition(":")[0] for name in both[0] & both[1]}


@pytest.mark.parametrize(
    "subject",
    ["", "Hello", "Re: hi", "Invoice", "Your order 4711", "Rechnung 12345678", "AW: WG: Fwd: Question", "!!! 50% !!!",
     "Undelivered Mail Returned to Sender", "Re: Delivery Status Notification (Failure)", "Your order has been shipped",
     "[Newsletter] Welcome to our newsletter", "1234 5678 91011 1213", "你好"],
)  # fmt: skip
def test_a_common_subject_joins_nobody(subject: str) -> None:
    assert kinds(subject=subject) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Exclusive Swiss watches, only 40 pieces left", "exclusive swiss WATCHES - only 12 pieces left!"),
        ("Re: Your mailbox storage has almost been used", "Your mailbox storage has almost been used 98%"),
        ("[SPAM] Fwd: Heisse Aktie vor dem Durchbruch morgen", "Heisse Aktie vor dem Durchbruch morgen"),
    ],
)
def test_a_particular_subject_joins_whatever_numbers_and_signs_it_carries(first: str, second: str) -> None:
    assert shared({"subject": first}, {"subject": second}) == {SUBJECT}


@pytest.mark.parametrize(
    "message_id", ["", "1@x.example", "abcdefgh", "abcdefgh@localhost", "20261122@localhost.localdomain"]
)
def test_a_careless_message_id_joins_nobody(message_id: str) -> None:
    assert kinds(message_id=message_id) == []


def test_a_message_id_joins_with_or_without_brackets() -> None:
    assert shared({"message_id": "<20261122.a1b2@Mail.Example>"}, {"message_id": "20261122.a1b2@mail.example"}) == {
        "id"
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://us7.list-manage.com/unsubscribe?u=1",
        "https://shop.example/unsubscribe/4711",
        "https://brand.example/optout",
        "http://click.brand.example/track/9f86d081884c",
        "mailto:leave@list.example",
        "https://www.facebook.com/brand",
        "http://192.0.2.1/x",
        "http://co.uk/x",
        "not a link",
        "http://[broken/",
    ],
)
def test_what_any_newsletter_leads_to_joins_nobody(url: str) -> None:
    assert place_of(url) == ""
    assert kinds(urls=[url]) == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://Cheap-Watches.example/buy?id=1", "cheap-watches.example/buy"),
        ("https://a1b2c3d4e5.pills.example/go/8d969eef6ecad3c2", "#.pills.example/go/#"),
        ("www.pills.example/order/4711.", "pills.example/order/#"),
    ],
)
def test_a_place_is_without_the_tokens_that_name_its_reader(url: str, place: str) -> None:
    assert place_of(url if "://" in url else f"http://{url}") == place


def test_the_places_of_a_mail_count_together() -> None:
    landing, other = "http://pills.example/go/1", "http://photos.example/a"
    assert shared({"urls": [landing, other]}, {"urls": [other, "http://pills.example/go/2?x=3"]}) == {URLS}
    assert shared({"urls": [landing]}, {"urls": [landing, other]}) == set()


@pytest.mark.parametrize("text", ["", "Hello", "Dear Sir, see attachment.", "spam " * 60, "1 2 3 4 " * 60])
def test_a_text_of_few_words_joins_nobody(text: str) -> None:
    assert kinds(text=text) == []


def test_a_text_joins_whatever_names_and_numbers_it_carries() -> None:
    first = WATCHES + " Order 4711 for anna@customer.example at http://w.example/1"
    second = WATCHES + " Order 815 for bruno@customer.example at http://w.example/2"
    assert {TEXT, LIKE} <= shared({"text": first}, {"text": second})


def test_a_text_that_was_stirred_a_little_is_like_the_other() -> None:
    first, second = by_text(WATCHES)[-1], by_text(WATCHES.replace("Dear friend", "Hello Mister"))[-1]
    assert alike(first.signature, second.signature)
    assert LIKE in shared({"text": WATCHES}, {"text": WATCHES.replace("Dear friend", "Hello Mister")})


def test_two_texts_are_two_texts() -> None:
    assert shared({"text": WATCHES}, {"text": LOAN}) == set()
    assert not alike(minhash(WATCHES.split()), minhash(LOAN.split()))


def test_the_footer_of_a_newsletter_service_alone_does_not_join() -> None:
    footer = " You receive this mail because you subscribed to our letter. Unsubscribe at the link below at any time."
    assert shared({"text": WATCHES + footer}, {"text": LOAN + footer}) == set()


def test_nothing_is_no_signature() -> None:
    assert not alike("", "")


@given(message_id=st.text(), subject=st.text(), urls=st.lists(st.text(), max_size=5), text=st.text())
def test_whatever_was_sent_has_marks_or_none(message_id: str, subject: str, urls: list[str], text: str) -> None:
    found = marks_of(message_id=message_id, subject=subject, urls=[f"http://{url}" for url in urls], text=text)
    assert all(mark.name.isascii() and len(mark.name) <= 48 and len(mark.signature) <= 64 for mark in found)
