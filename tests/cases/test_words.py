from __future__ import annotations

import pytest

from complaints.cases import words
from complaints.cases.transitions import add_note
from complaints.cases.word_marks import asked_words, words_of
from complaints.models import CaseAddress, CaseText, CaseTextDue, Complaint
from tests.factories import make_case, make_complaint, make_contract, make_customer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cheap Watches", ["cheap", "watches"]),
        ("Café Müller-Lüdenscheidt", ["cafe", "muller-ludenscheidt", "muller", "ludenscheidt"]),
        ("from mail.shop.example [192.0.2.7]", [
            "from", "mail.shop.example", "shop.example", "mail", "shop", "example", "192.0.2.7", "192",
        ]),
        ("<ada@x.example>", ["ada@x.example", "ada", "x.example", "example"]),
        ("x" * 65, []),
        ("' & | ! <-> \\ \" \0", []),
    ],
)  # fmt: skip
def test_a_text_is_found_by(text: str, found: list[str]) -> None:
    assert words_of(text) == found


@pytest.mark.parametrize("text", ["CAFÉ", "mail.shop.example", "ada@x.example", "C-7"])
def test_what_is_asked_is_among_what_is_stored(text: str) -> None:
    assert set(asked_words(text)) <= set(words_of(f"before {text} behind"))


def words_in(case: int) -> set[str]:
    return set(CaseText.objects.get(case=case).words.split())


@pytest.mark.django_db
def test_a_case_has_the_words_of_its_customer_and_of_what_is_filed_later() -> None:
    case = make_case(make_contract("C-7", customer=make_customer("K-7", name="Atelier Brenn")))
    words.read_words()
    assert {"atelier", "c:brenn", "c-7", "k-7", case.number} <= words_in(case.pk)

    make_complaint(case, subject="Cheap watches", reporter="fbl@x.example")
    words.read_words()
    assert {"atelier", "watches", "r:fbl@x.example", "fbl@x.example"} <= words_in(case.pk)

    add_note(case, actor="ada", text="Left a voicemail")
    words.read_words()
    assert {"watches", "voicemail"} <= words_in(case.pk)
    assert not CaseTextDue.objects.exists()


@pytest.mark.django_db
def test_words_and_addresses_leave_with_the_complaint_that_had_them() -> None:
    came, went = make_case("C-1"), make_case("C-2")
    make_complaint(came, subject="Hello")
    moved = make_complaint(came, subject="Watches", address="192.0.2.11")
    words.read_words()

    Complaint.objects.filter(pk=moved.pk).update(case=went)
    words.read_words()

    assert "watches" not in words_in(came.pk)
    assert {"watches"} <= words_in(went.pk)
    assert set(CaseAddress.objects.filter(address=bytes(moved.address)).values_list("case", flat=True)) == {went.pk}


@pytest.mark.django_db
def test_reading_twice_changes_nothing_and_many_complaints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "YOUNGEST", 2)
    case = make_case()
    for n in range(4):
        make_complaint(case, subject=f"subject{n}")

    assert words.read_words() == 1
    assert words.read_words() == 0
    assert {"subject2", "subject3"} <= words_in(case.pk)
    assert "subject0" not in words_in(case.pk)
