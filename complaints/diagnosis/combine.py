"""The cause of a case from everything known about it: each complaint's shape, the checks, the voices. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from complaints.vocabulary import Cause, Diagnosis, Verdict

PROVEN = 0.99
LISTED_BOT = 0.85
LISTING_CAUSES = {"bot": Cause.BOT, "relay": Cause.OPEN_RELAY, "proxy": Cause.BOT}
AGREEMENT = 0.05  # what each further complaint of the same shape adds
MOST_BY_SHAPE = 0.7  # shapes alone, however many, never accuse by themselves


def diagnose_case(shapes: Sequence[Diagnosis], *, relay: Verdict | None, listing_causes: Sequence[str]) -> Diagnosis:
    """`shapes`: what each complaint's mail looks like. `relay`: the last relay check, None when none has finished.
    `listing_causes`: what blacklists say of the address, such as "bot" (dnsbls.yaml)."""
    if relay is Verdict.BAD:
        return Diagnosis(
            cause=Cause.OPEN_RELAY, confidence=PROVEN, reasons=("Our test mail came back through this server",)
        )
    found = [*by_shape(shapes), *by_listing(listing_causes)]
    if relay is Verdict.CLEAN:
        found = [item for item in found if item.cause is not Cause.OPEN_RELAY]
    if not found:
        reason = "The relay check was refused everywhere" if relay is Verdict.CLEAN else "Nothing points to one cause"
        return Diagnosis(cause=Cause.UNKNOWN, confidence=0.0, reasons=(reason,))
    best = max(found, key=lambda item: item.confidence)
    more = [reason for item in found if item is not best and item.cause is best.cause for reason in item.reasons]
    return Diagnosis(cause=best.cause, confidence=best.confidence, reasons=(*best.reasons, *more)[:8])


def by_shape(shapes: Sequence[Diagnosis]) -> list[Diagnosis]:
    found = []
    for cause in {shape.cause for shape in shapes} - {Cause.UNKNOWN}:
        same = [shape for shape in shapes if shape.cause is cause]
        best = max(same, key=lambda shape: shape.confidence)
        confidence = min(MOST_BY_SHAPE, best.confidence + AGREEMENT * (len(same) - 1))
        reasons = (f"{len(same)} of {len(shapes)} complaints look like it", *best.reasons)
        found.append(Diagnosis(cause=cause, confidence=round(confidence, 2), reasons=reasons))
    return sorted(found, key=lambda item: (-item.confidence, item.cause))


def by_listing(listing_causes: Sequence[str]) -> list[Diagnosis]:
    named = sorted({LISTING_CAUSES[cause] for cause in listing_causes if cause in LISTING_CAUSES})
    return [
        Diagnosis(
            cause=cause,
            confidence=LISTED_BOT if cause is Cause.BOT else MOST_BY_SHAPE,
            reasons=(f"A blacklist that lists {cause.replace('_', ' ')} hosts names the address",),
        )
        for cause in named
    ]
