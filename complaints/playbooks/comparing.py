"""What would have happened beside what did: for one case, and in all. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from complaints.playbooks.record import Happening, Record, Replayed

LAG = timedelta(hours=1)  # between a step's moment and a worker's
SAME = timedelta(minutes=10)
KINDS = {
    ("letter", ""): "letters", ("measure", ""): "measures", ("task", ""): "tasks for people", ("check", ""): "checks",
    ("move", "triage"): "cases handed to triage", ("move", "answered"): "cases handed back to a person",
    ("move", "escalated"): "escalations", ("move", "closed"): "cases closed by the machine",
}  # fmt: skip
WATCHED = {"escalated": "escalated", "closed": "closed"}


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """One case. problem: why it cannot be compared; "" when it was. until: what came later is not compared."""

    record: Record
    did: Sequence[Happening] = ()
    would: Sequence[Happening] = ()
    until: datetime | None = None
    stopped: str = ""
    unknown: Sequence[str] = ()
    problem: str = ""

    @property
    def differs(self) -> bool:
        return not self.problem and not is_same(self.did, self.would, lag=LAG)


def why_not_reproduced(record: Record, replayed: Replayed) -> str:
    """Why the rules that really ran do not come out as it really was; "" when they do."""
    if replayed.stopped:
        return f"at {replayed.stopped_at:%Y-%m-%d %H:%M %Z} {replayed.stopped}"
    settled = record.ends_at if record.is_closed else record.ends_at - LAG
    did = [each for each in record.happened if each.at <= settled]
    would = [each for each in replayed.happened if each.at <= settled]
    found = pairs(did, would)
    for real, played in found:
        if real is None or played is None or abs(real.at - played.at) > LAG:
            each = real or played
            if record.is_closed or (each is not None and record.ends_at - each.at > LAG):
                return said(real, played)
    return ""


def said(real: Happening | None, played: Happening | None) -> str:
    each = real or played
    what = f"{each.kind} {each.what}" if each else ""
    really = f"was at {real.at:%Y-%m-%d %H:%M %Z}" if real else "was not"
    replayed = f"is at {played.at:%Y-%m-%d %H:%M %Z}" if played else "is not"
    return f"{what} really {really}, and in the replay of its own version {replayed}"


def pairs(did: Sequence[Happening], would: Sequence[Happening]) -> list[tuple[Happening | None, Happening | None]]:
    """The first letter of a name with the first, the second with the second, and so on."""
    found: list[tuple[Happening | None, Happening | None]] = []
    names = dict.fromkeys((each.kind, each.what) for each in (*did, *would))
    for name in names:
        left, right = ([each for each in side if (each.kind, each.what) == name] for side in (did, would))
        for number in range(max(len(left), len(right))):
            found.append((left[number] if number < len(left) else None, right[number] if number < len(right) else None))
    return found


def is_same(did: Sequence[Happening], would: Sequence[Happening], *, lag: timedelta) -> bool:
    return all(a is not None and b is not None and abs(a.at - b.at) <= lag for a, b in pairs(did, would))


def compare(record: Record, own: Replayed, other: Replayed) -> Compared:
    """`own`: the replay of what really ruled the case; only where that comes out true, the other is believed."""
    if problem := why_not_reproduced(record, own):
        return Compared(record, problem=problem)
    until = other.stopped_at or record.ends_at
    # What the record ends with belongs to it; what the replay stopped at does not.
    did = [each for each in record.happened if each.at < until or (each.at == until and not other.stopped)]
    would = [each for each in other.happened if each.at < until or (each.at == until and not other.stopped)]
    return Compared(record, did, sorted(would), until, other.stopped, other.unknown)


@dataclasses.dataclass(frozen=True, slots=True)
class Total:
    what: str
    did: int
    would: int

    @property
    def words(self) -> str:
        """Such as "41 letters fewer"."""
        more = self.would - self.did
        if abs(more) == 1:
            return f"1 {singular(self.what)} {'more' if more > 0 else 'fewer'}"
        return f"{abs(more)} {self.what} {'more' if more > 0 else 'fewer'}" if more else f"as many {self.what}"


def singular(words: str) -> str:
    """Of the plurals in KINDS: the first word that ends in s is the noun."""
    noun = words.split(" ")[0]
    return words.replace(noun, noun.removesuffix("s"), 1)


def totals(compared: Iterable[Compared]) -> list[Total]:
    did: Counter[str] = Counter()
    would: Counter[str] = Counter()
    for case in compared:
        for side, counter in ((case.did, did), (case.would, would)):
            counter.update(kind_of(each) for each in side if kind_of(each))
    return [Total(words, did[words], would[words]) for words in KINDS.values() if did[words] or would[words]]


def kind_of(each: Happening) -> str:
    return KINDS.get((each.kind, each.what)) or KINDS.get((each.kind, ""), "")


def shifts(compared: Iterable[Compared]) -> list[str]:
    """Such as "2 cases escalated earlier", "1 case no longer escalated"."""
    found: Counter[tuple[str, str]] = Counter()
    for case in compared:
        for to, words in WATCHED.items():
            sides = [first(side, to) for side in (case.did, case.would)]
            if how := how_moved(*sides, is_cut=bool(case.stopped)):
                found[words, how] += 1
    return [
        f"{number} case{'s' if number > 1 else ''} {how.format(words)}"
        for (words, how), number in sorted(found.items())
    ]


def first(side: Sequence[Happening], to: str) -> datetime | None:
    return next((each.at for each in side if (each.kind, each.what) == ("move", to)), None)


def how_moved(did: datetime | None, would: datetime | None, *, is_cut: bool) -> str:
    if did and would:
        if abs(did - would) <= SAME:
            return ""
        return "{} earlier" if would < did else "{} later"
    if would:
        return "newly {}"
    return "not {} by then" if did else ""
