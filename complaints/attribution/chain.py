"""The verb of attribution: questions in, one answer each, in a few queries for the whole batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import ModuleType

from django.conf import settings

from complaints.attribution.answers import Holding, Question
from complaints.attribution.lookup import Surroundings, look_around
from complaints.attribution.resolvers import LINES, Place, chain, places_of
from complaints.attribution.wording import NO_ADDRESS_NAMED, not_yet, outside, shared, unheard_of
from complaints.models import SharedMachine
from complaints.vocabulary import Answer

MACHINES = {SharedMachine.What.MAIL.value: Place.RELAY, SharedMachine.What.WEB.value: Place.WEB_SERVER}
OUTSIDE, NO_ADDRESS = frozenset({Place.OUTSIDE}), frozenset({Place.NO_ADDRESS})


def attribute(questions: Sequence[Question]) -> list[Holding]:
    """Whose each address was at its time, in the order of the questions.

    Writes nothing but what an outside resolver said; that one may take seconds, so never inside a transaction.
    """
    asked = list(dict.fromkeys(questions))  # repeated ones once
    around = surroundings(asked)
    places = [places_around(question, around) for question in asked]
    answers = [before_asking(question, at, around.now) for question, at in zip(asked, places, strict=True)]
    resolvers = chain()
    pending = [n for n, question in enumerate(asked) if not is_to_come(question, around.now)]
    for resolver in resolvers:
        theirs = places_of(resolver)
        told = [number for number in pending if not theirs.isdisjoint(places[number])]
        if not told:
            continue
        for number, holding in zip(told, resolver.resolve([asked[n] for n in told], around), strict=True):
            told_by = signed(holding, resolver) if holding and holding.again_at else holding
            answers[number] = weightier(told_by, answers[number])
        pending = [number for number in pending if not stands(answers[number], places[number])]
    for resolver in resolvers:
        if hasattr(resolver, "review"):
            answers = resolver.review(list(zip(asked, answers, strict=True)), around)
    found = dict(zip(asked, (answer or unheard_of(q) for q, answer in zip(asked, answers, strict=True)), strict=True))
    return [found[question] for question in questions]


def attribute_by_each(question: Question) -> list[tuple[ModuleType, Holding | None]]:
    """What each resolver in use says by itself; None: it knows nothing, or is not asked about such an address."""
    around = surroundings([question])
    at = frozenset() if is_to_come(question, around.now) else places_around(question, around)
    return [
        (resolver, None if places_of(resolver).isdisjoint(at) else resolver.resolve([question], around)[0])
        for resolver in chain()
    ]


def place_of(question: Question) -> str:
    """What its address is to us, in words."""
    return " and ".join(sorted(place.value for place in places_around(question, surroundings([question]))))


def surroundings(questions: Sequence[Question]) -> Surroundings:
    return look_around([question for question in questions if question.address])


def places_around(question: Question, around: Surroundings) -> frozenset[Place]:
    if not question.address:
        return NO_ADDRESS
    if not around.is_ours(question.address):
        return OUTSIDE
    machine = around.machine(question.address)
    return frozenset(MACHINES[what] for what in machine if what in MACHINES) if machine else LINES


def is_to_come(question: Question, now: datetime) -> bool:
    """Who will have an address nobody knows. A clock may be ahead of ours by what clocks are off."""
    if question.at <= now:
        return False
    return question.at - max(question.slack, timedelta(seconds=settings.CLOCK_TOLERANCE)) > now


def before_asking(question: Question, places: frozenset[Place], now: datetime) -> Holding | None:
    """What holds if no resolver knows better; None for a line, of which nothing is known without them."""
    if places is not OUTSIDE and is_to_come(question, now):
        return not_yet(question, now)
    if places is LINES:
        return None
    if places is NO_ADDRESS:
        return NO_ADDRESS_NAMED
    return outside(question) if places is OUTSIDE else shared(question, Place.RELAY in places)


def signed(holding: Holding, resolver: ModuleType) -> Holding:
    """With the name of who cannot tell now, for whoever waits."""
    return dataclasses.replace(holding, resolver=resolver.NAME)


def weightier(new: Holding | None, old: Holding | None) -> Holding | None:
    """ "Nobody" takes the place of no answer that says more."""
    return old if new is None or (old is not None and new.answer is Answer.NOBODY) else new


def stands(answer: Holding | None, places: frozenset[Place]) -> bool:
    if answer is None or answer.answer in (Answer.NOBODY, Answer.NOT_OURS) or answer.again_at is not None:
        return False
    return answer.answer is Answer.OWNER or places is LINES or bool(answer.candidates)
