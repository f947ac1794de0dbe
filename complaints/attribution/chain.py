"""The verb of attribution: questions in, one answer each, in a few queries for the whole batch."""

from __future__ import annotations

from collections.abc import Sequence

from complaints.attribution.answers import Holding, Question
from complaints.attribution.lookup import look_around
from complaints.attribution.resolvers import chain
from complaints.attribution.wording import NO_ADDRESS_NAMED, outside
from complaints.vocabulary import Answer


def attribute(questions: Sequence[Question]) -> list[Holding]:
    """Who held each address at its time, in the order of the questions. Writes nothing.

    Outside our networks nobody is looked for. Inside, the resolvers are asked in the order of their RANK.
    """
    answers: dict[Question, Holding] = {question: NO_ADDRESS_NAMED for question in questions if not question.address}
    asked = list({question: None for question in questions if question.address})  # repeated ones once
    if asked:
        around = look_around(asked)
        answers |= {question: outside(question) for question in asked if not around.is_ours(question.address)}
        pending = [question for question in asked if question not in answers]
        for resolver in chain():
            if not pending:
                break
            for question, holding in zip(pending, resolver.resolve(pending, around), strict=True):
                if holding is not None:
                    answers[question] = holding
            pending = [q for q in pending if q not in answers or answers[q].answer is Answer.NOBODY]
    return [answers[question] for question in questions]
