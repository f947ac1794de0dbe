"""Hosting contracts by the names of their sites."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from complaints.addresses import NO_ADDRESS, address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.decision import Claim
from complaints.attribution.evidence import content_names, names_of
from complaints.attribution.resolvers._named import answer_of, decide_by
from complaints.attribution.resolvers.domain import levels_of
from complaints.attribution.times import EARLIEST
from complaints.models import Contract, HostedName
from complaints.vocabulary import Answer, Category, ParsedComplaint
from tests.factories import LONG_AGO, NOON, make_assignment, make_contract, make_network, make_shared_machine

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEB, LINE, ELSEWHERE = "192.0.2.80", "192.0.2.10", "198.51.100.1"


@pytest.fixture(autouse=True)
def web_server():
    make_network("192.0.2.0/24")
    make_shared_machine(f"{WEB}/32", "web")


def register(name: str, contract: str, valid_from: datetime | None = None, valid_until: datetime | None = None) -> None:
    HostedName.objects.create(
        name=name, contract=make_contract(contract), valid_from=valid_from, valid_until=valid_until
    )


def whose(*names: str, address: str | None = WEB, at: datetime = NOON, **more: object) -> Holding:
    key = address_key(address) if address else NO_ADDRESS
    return attribute([Question(key, None, at, names=names, **more)])[0]  # type: ignore[arg-type]


def holder(*names: str, **question: object) -> str:
    holding = whose(*names, **question)  # type: ignore[arg-type]
    if holding.answer is Answer.OWNER:
        return Contract.objects.get(pk=holding.contract_id).reference
    return " or ".join(holding.candidates) or str(holding.answer)


def test_a_registered_site_on_a_shared_web_server_names_its_contract():
    register("shop.example", "C-1", LONG_AGO)

    assert whose("shop.example") == Holding(
        Answer.OWNER,
        contract_id=Contract.objects.get().pk,
        method="domain",
        confidence=0.9,
        valid_from=LONG_AGO,
        reason="shop.example is the contract's registered site since 2020-01-01 00:00:00 UTC, and still is",
    )


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("shop.brenn.example", "C-shop"),
        ("www.shop.brenn.example", "C-shop"),
        ("a.b.c.shop.brenn.example", "C-shop"),
        ("brenn.example", "C-brenn"),
        ("workshop.brenn.example", "C-brenn"),
        ("xshop.example", "unsure"),
        ("example", "unsure"),
        ("brenn.co.uk", "C-uk"),
        ("www.brenn.co.uk", "C-uk"),
        ("other.co.uk", "unsure"),  # co.uk is nobody's, whoever registered it with us
        ("co.uk", "C-suffix"),
        ("page.github.io", "unsure"),  # each name below a suffix of the private part is another person's
    ],
)
def test_the_most_specific_registered_name_wins(name: str, contract: str):
    register("shop.brenn.example", "C-shop")
    register("brenn.example", "C-brenn")
    register("example", "C-all")
    register("brenn.co.uk", "C-uk")
    register("co.uk", "C-suffix")
    register("github.io", "C-hub")

    assert holder(name) == (contract if name != "example" else "C-all")


@pytest.mark.parametrize(
    ("at", "contract"),
    [
        (NOON - timedelta(seconds=1), "C-1"),
        (NOON, "C-2"),
        (NOON + DAY - timedelta(seconds=1), "C-2"),
        (NOON + DAY, "C-parent"),
    ],
)
def test_a_name_counts_for_its_time_only(at: datetime, contract: str):
    register("shop.brenn.example", "C-1", valid_until=NOON)
    register("shop.brenn.example", "C-2", NOON, NOON + DAY)
    register("brenn.example", "C-parent")

    assert holder("shop.brenn.example", at=at) == contract


def test_a_name_that_changed_hands_near_the_time_is_unsure():
    register("shop.example", "C-1", valid_until=NOON)
    register("shop.example", "C-2", NOON)

    holding = whose("shop.example", at=NOON + HOUR, slack=14 * HOUR)

    assert holding.candidates == ("C-1", "C-2")
    assert holding.reason == (
        "The time may be off by 14 hours, and within that shop.example was a registered site of C-1 or C-2"
    )
    assert holder("shop.example", at=NOON + HOUR, at_exactly=False) == "C-1 or C-2"


def test_two_contracts_of_one_name_are_unsure():
    """Rows of before the database refused them."""
    both = [Claim(b"", make_contract(name).pk, "", EARLIEST, None, 0, 65535) for name in ("C-1", "C-2")]
    question = Question(NO_ADDRESS, None, NOON)
    found = decide_by(question, ["www.shop.example", "shop.example"], {"shop.example": both})

    holding = answer_of(question, [found], method="domain", confidence=0.9, what="registered site")

    assert holding.candidates == ("C-1", "C-2")
    assert holding.reason == "Our data is wrong: shop.example is a registered site of C-1 and C-2 at once"


def test_sites_of_two_contracts_in_one_report_are_unsure_and_of_one_contract_are_its():
    register("shop.example", "C-1")
    register("club.example", "C-1")
    register("bank.example", "C-2")

    assert holder("shop.example", "club.example", "unknown.example") == "C-1"
    assert whose("shop.example", "bank.example").reason == (
        "The report names what belongs to several contracts: shop.example is a registered site of C-1 and"
        " bank.example is a registered site of C-2"
    )


@pytest.mark.parametrize("address", [WEB, None])
def test_a_site_of_ours_beside_one_of_nobodys_may_be_what_the_page_imitates(address: str | None):
    register("bank.example", "C-1")

    holding = whose("login.bad.example", "www.bank.example", address=address)

    assert (holding.answer, holding.candidates) == (Answer.UNSURE, ("C-1",))
    assert holding.reason == (
        "bank.example is a registered site of C-1, but the report names other sites too, which no contract of ours has"
    )


def test_without_an_address_the_name_decides_with_less_confidence():
    register("shop.example", "C-1")

    assert (holder("shop.example", address=None), whose("shop.example", address=None).confidence) == ("C-1", 0.8)
    assert whose("other.example", address=None).answer is Answer.UNSURE


def test_of_a_line_the_assignment_decides():
    make_assignment("C-1", f"{LINE}/32")
    register("shop.example", "C-1")

    assert whose("shop.example", address=LINE).method == "static"
    assert whose("other.example", address=LINE).method == "static"


def test_a_line_of_one_and_a_site_of_another_are_unsure_with_both():
    make_assignment("C-1", f"{LINE}/32")
    register("shop.example", "C-2")

    holding = whose("shop.example", address=LINE)

    assert (holding.answer, holding.candidates) == (Answer.UNSURE, ("C-1", "C-2"))
    assert holding.candidate_ids == tuple(Contract.objects.get(reference=name).pk for name in ("C-1", "C-2"))
    assert holding.reason == "C-1 had the address, but shop.example is a registered site of C-2"


def test_of_a_line_that_nobody_had_the_name_decides():
    register("shop.example", "C-1")

    assert holder("shop.example", address=LINE) == "C-1"
    assert holder("other.example", address=LINE) == "nobody"


def test_a_customers_name_at_another_provider_is_his_with_little_confidence():
    register("shop.example", "C-1")

    assert (holder("shop.example", address=ELSEWHERE), whose("shop.example", address=ELSEWHERE).confidence) == (
        "C-1",
        0.6,
    )
    assert holder("other.example", address=ELSEWHERE) == "not-ours"


def test_a_web_server_says_what_is_missing():
    assert whose().reason == "192.0.2.80 is a web server of ours with many sites, and the report names no site"
    assert whose("a.example").reason.endswith("with many sites, and no contract of ours has a.example")


def test_names_cost_one_query_a_batch_and_none_where_no_report_has_any(django_assert_num_queries):
    for number in range(30):
        register(f"n{number}.example", f"C-{number}")
    questions = [Question(NO_ADDRESS, None, NOON, names=(f"www.n{number}.example",)) for number in range(30)]
    attribute(questions)

    with django_assert_num_queries(1):
        assert all(holding.answer is Answer.OWNER for holding in attribute(questions))
    with django_assert_num_queries(0):
        attribute([Question(NO_ADDRESS, None, NOON)])


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("www.shop.example", ["www.shop.example", "shop.example"]),
        ("shop.example", ["shop.example"]),
        ("a.b.co.uk", ["a.b.co.uk", "b.co.uk"]),
        ("co.uk", ["co.uk"]),
        ("x.y.github.io", ["x.y.github.io", "y.github.io"]),
        ("www.xn--bcher-kva.example", ["www.xn--bcher-kva.example", "xn--bcher-kva.example"]),
    ],
)
def test_levels_end_at_what_somebody_registered(name: str, levels: list[str]):
    assert levels_of(name) == levels


def test_levels_of_a_long_name_are_those_next_to_what_was_registered():
    assert levels_of(".".join("abcdefghijklmnop") + ".shop.example")[-1] == "shop.example"
    assert len(levels_of(".".join("abcdefghijklmnop") + ".shop.example")) == 10


URIS = ("https://www.Shop.example:8443/login?x", "http://192.0.2.80/", "http://[2001:db8::1]/", "http://[broken/")


@pytest.mark.parametrize(
    ("category", "about_mail", "names"),
    [
        (Category.PHISHING, False, ("www.shop.example",)),
        (Category.PHISHING, True, ("www.shop.example",)),
        (Category.MALWARE, False, ("www.shop.example",)),
        (Category.COPYRIGHT, False, ("www.shop.example",)),
        (Category.FRAUD, False, ("www.shop.example",)),
        (Category.SPAM, False, ()),
        (Category.BOT, False, ()),
    ],
)
def test_only_content_has_names(category: Category, about_mail: bool, names: tuple[str, ...]):
    assert content_names(category, URIS, ("club.example",), about_mail=about_mail) == names


def test_a_domain_counts_where_no_page_is_named_and_no_mail_is_meant():
    assert content_names("phishing", (), ("Bücher.example.", "bad name", "10.1"), about_mail=False) == (
        "xn--bcher-kva.example",
    )
    assert content_names("phishing", (), ("sender.example",), about_mail=True) == ()


def test_odd_names_of_hosts_are_used_all_the_same():
    assert content_names("phishing", ("http://pay_pal.shop.example/",), (), about_mail=False) == (
        "pay_pal.shop.example",
    )


def test_domain_of_a_feedback_report_may_be_the_forged_senders_and_is_left_out():
    parsed = ParsedComplaint(category=Category.PHISHING, feedback_type="fraud", reported_domains=("bank.example",))

    assert names_of(parsed) == ()


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("http://login.example\\@shop.example/", ()),  # browsers go to login.example, RFC 3986 to the other
        ("http:\\\\login.example@shop.example/", ()),
        (f"http://shop.example:{'8' * 2000}@login.example/", ()),  # cut before the @, it would be shop.example's
        (f"http://{'a.' * 490}shop.example", ()),
        (f"http://shop.example/{'8' * 2000}@login.example/", ("shop.example",)),
        ("http://login.example:80@shop.example:8443/\\@x.example", ("shop.example",)),
    ],
)
def test_an_address_that_could_lead_to_two_sites_names_none(uri: str, names: tuple[str, ...]):
    assert content_names("phishing", (uri,), (), about_mail=False) == names
    assert content_names("phishing", (uri[:1000],), (), about_mail=False) == names, "as it is kept"
