"""Who is asked about which address, in which order, and whose answer stands."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from complaints.addresses import NO_ADDRESS, address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution import chain as chain_module
from complaints.attribution.chain import attribute_by_each
from complaints.attribution.resolvers import LINES, Place, all_resolvers, chain
from complaints.vocabulary import Answer
from tests.factories import LONG_AGO, NOON, make_assignment, make_network, make_shared_machine

pytestmark = pytest.mark.django_db
LINE = Question(address_key("192.0.2.10"), None, NOON)
OUTSIDE = Question(address_key("198.51.100.1"), None, NOON)
NOWHERE = Question(NO_ADDRESS, None, NOON)
NOBODY = Holding(Answer.NOBODY, reason="nobody")
OWNER = Holding(Answer.OWNER, contract_id=7, method="x")
DOUBT = Holding(Answer.UNSURE, candidates=("A", "B"))
LATER = Holding(Answer.UNSURE, again_at=NOON + timedelta(minutes=1), reason="later")


class Saying(SimpleNamespace):
    """A resolver that gives every question the same answer, and remembers what it was asked."""

    def __init__(self, answer: Holding | None, places: Any = LINES) -> None:
        super().__init__(NAME="saying", PLACES=places, asked=[], answer=answer)

    def resolve(self, questions: Any, around: Any) -> list[Holding | None]:
        self.asked += questions
        return [self.answer for _ in questions]


@pytest.fixture
def in_use(monkeypatch):
    def use(*resolvers: Saying) -> None:
        monkeypatch.setattr(chain_module, "chain", lambda: resolvers)

    make_network("192.0.2.0/24")
    return use


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ((OWNER, DOUBT), OWNER),
        ((None, OWNER), OWNER),
        ((NOBODY, OWNER), OWNER),
        ((NOBODY, None), NOBODY),
        ((NOBODY, Holding(Answer.NOBODY, reason="nobody either")), NOBODY),
        ((DOUBT, OWNER), DOUBT),
        ((LATER, OWNER), OWNER),
        ((LATER, DOUBT), DOUBT),
        ((LATER, NOBODY), LATER),  # unknown is not nobody
        ((NOBODY, LATER), LATER),
        ((LATER, None), LATER),
    ],
)
def test_the_first_answer_that_says_something_stands(in_use, said: tuple[Holding | None, ...], stands: Holding):
    in_use(*map(Saying, said))

    assert attribute([LINE]) == [stands]


def test_a_line_that_no_source_knows_is_nobodys(in_use):
    in_use(Saying(None))

    assert attribute([LINE]) == [Holding(Answer.NOBODY, reason="192.0.2.10 is ours, but no source knows who has it")]


def test_who_has_an_answer_is_not_asked_about_again(in_use):
    first, second = Saying(OWNER), Saying(OWNER)
    in_use(first, second)

    attribute([LINE, OUTSIDE, NOWHERE, LINE])

    assert (first.asked, second.asked) == ([LINE], [])


@pytest.mark.parametrize(
    ("question", "place"), [(LINE, Place.LINE), (OUTSIDE, Place.OUTSIDE), (NOWHERE, Place.NO_ADDRESS)]
)
def test_each_is_asked_about_its_own_places_only(in_use, question: Question, place: Place):
    resolvers = {each: Saying(None, frozenset({each})) for each in Place}
    in_use(*resolvers.values())

    attribute([question])

    assert [each for each, resolver in resolvers.items() if resolver.asked] == [place]


@pytest.mark.parametrize(
    ("whats", "places"),
    [(["mail"], {Place.RELAY}), (["web"], {Place.WEB_SERVER}), (["mail", "web"], {Place.RELAY, Place.WEB_SERVER})],
)
def test_the_holder_of_a_shared_machine_is_never_asked_for(in_use, whats: list[str], places: set[Place]):
    for what in whats:
        make_shared_machine("192.0.2.10/32", what)
    resolvers = {each: Saying(None, frozenset({each})) for each in Place}
    in_use(*resolvers.values())

    [holding] = attribute([LINE])

    assert {each for each, resolver in resolvers.items() if resolver.asked} == places
    assert holding.answer is Answer.UNSURE


def test_a_machine_that_becomes_shared_is_seen_at_once():
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.0/28")
    assert attribute([LINE])[0].answer is Answer.OWNER

    make_shared_machine("192.0.2.8/29", "mail")

    assert attribute([LINE])[0].reason == (
        "192.0.2.10 is a mail relay of ours, used by many: the report does not show who had logged in"
    )


def test_shared_machines_cost_no_statement(django_assert_num_queries):
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.10/32")
    attribute([LINE])

    with django_assert_num_queries(0):
        attribute([LINE])


def test_order_of_the_sources_is_configuration(settings):
    assert [resolver.NAME for resolver in chain()] == ["assignment", "smtp_user", "external", "domain"]

    settings.RESOLVERS = ("domain", "assignment")

    assert [resolver.NAME for resolver in chain()] == ["domain", "assignment"]


def test_each_source_says_for_itself_what_it_knows():
    make_network("192.0.2.0/24")
    contract = make_assignment("C-1", "192.0.2.10/32").contract

    said = {resolver.NAME: holding for resolver, holding in attribute_by_each(LINE)}

    assert said.pop("assignment").contract_id == contract.pk
    assert set(said.values()) == {None}


def test_every_source_tells_its_health_before_anything_is_imported_and_after():
    for start in (LONG_AGO, NOON):
        for resolver in all_resolvers().values():
            facts = resolver.health(now=NOON)
            assert facts
            assert all(fact.words for fact in facts)
        make_assignment("C-1", "192.0.2.10/32", valid_from=start, valid_until=start + timedelta(days=1))


def test_plug_in_that_is_not_named_as_its_file_is_refused():
    assert all(isinstance(each, ModuleType) for each in all_resolvers().values())
    assert all(each.__name__.endswith(f".{name}") for name, each in all_resolvers().items())
