"""Static lines, leases and CGNAT port blocks: all are rows of Assignment, told apart by their kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import Claim, Finding, Why, decide
from complaints.attribution.feeds import behind, is_block, is_silent, untold
from complaints.attribution.lookup import Surroundings, feed_inside, names_of
from complaints.attribution.resolvers import Fact
from complaints.attribution.times import age_text, utc_text
from complaints.attribution.wording import nobody, not_told_yet, owner, owner_as_far_as_told, unsure
from complaints.models import Assignment, LeaseFeed, PrefixLength

NAME = "assignment"
RANK = 10
NOBODY = (Why.NOBODY, Why.PORT_OF_NOBODY)
MOST_FEEDS = 200  # of the health page


def resolve(questions: Sequence[Question], around: Surroundings) -> list[Holding | None]:
    """Never None: who is not found here was "nobody". One more query where candidates must be named."""
    decided = [as_far_as_told(q, decide(q, around.levels(q)), around) for q in questions]
    doubtful = [finding for finding in decided if isinstance(finding, Finding)]
    if not doubtful:
        return decided  # type: ignore[return-value]
    names = names_of(claim.contract_id for finding in doubtful for claim in finding.possible)
    return [
        in_doubt(question, each, names, around) if isinstance(each, Finding) else each
        for question, each in zip(questions, decided, strict=True)
    ]


def as_far_as_told(question: Question, finding: Finding, around: Surroundings) -> Holding | Finding:
    """The answer, or the finding where candidates must be named."""
    if finding.why in NOBODY:
        return nobody(question, finding.why)
    if finding.why is not Why.HELD:
        return finding
    late = late_feed(question, finding.held, around)
    if late is None:
        return owner(question, finding.claims[0])
    feed = around.feeds.get(late)
    if is_silent(feed, around.now, timedelta(seconds=settings.FEED_SILENCE)):
        return owner_as_far_as_told(question, finding.claims[0], feed)
    return finding


def in_doubt(question: Question, finding: Finding, names: dict[int, str], around: Surroundings) -> Holding:
    if finding.why is not Why.HELD:
        return unsure(question, finding, names)
    feed = around.feeds[late_feed(question, finding.held, around) or 0]  # else it would not be in doubt
    return not_told_yet(question, finding.claims[0], feed, names, around.now)


def late_feed(question: Question, held: Sequence[Claim], around: Surroundings) -> int | None:
    """Id of a feed that should have told of that time and has not; 0 for one that is not known; None: all have."""
    claim = untold(question, held, around.feeds, around.now)
    if claim is not None:
        return claim.feed or 0
    late = behind(question, around.feeds, around.now) if any(map(is_block, held)) else []
    if not late:
        return None
    blocks = {claim.key for claim in held if is_block(claim)}
    inside = (feed_inside(block, question.address, late, around.plan) for block in blocks)
    return next((feed for feed in inside if feed), None)


def health(*, now: datetime) -> list[Fact]:
    """Lengths in use, the youngest row, and how far each feed of leases has told."""
    lengths = sorted(PrefixLength.objects.values_list("family", "length"))
    newest = Assignment.objects.order_by("-pk").values_list("valid_from", flat=True).first()
    if newest is None:
        return [Fact(False, "No assignment is known: import_assignments brings them")]
    words = ", ".join(f"IPv{family} /{length}" for family, length in lengths)
    return [
        Fact(True, f"Prefix lengths in use: {words}"),
        Fact(True, f"The newest assignment begins {utc_text(newest)}"),
        *(health_of(feed, now) for feed in LeaseFeed.objects.order_by("told_until")[:MOST_FEEDS]),
    ]


def health_of(feed: LeaseFeed, now: datetime) -> Fact:
    limit = timedelta(seconds=settings.FEED_SILENCE)
    age = now - feed.told_until
    words = f"The {feed.reader} feed {feed.name} has told until {utc_text(feed.told_until)}, {age_text(age)} ago"
    if age <= limit:
        return Fact(True, words)
    return Fact(False, f"{words}; more than {age_text(limit)}, and its leases name nobody for certain since then")
