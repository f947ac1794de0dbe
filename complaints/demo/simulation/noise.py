"""What comes to the desk beside true complaints: accusations of the innocent, late and lost ones, and other mail. Pure
choices; world.py sends what is chosen here."""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from complaints.demo.simulation.abuse import Abuse
from complaints.demo.simulation.lines import address, place_in
from complaints.demo.simulation.population import Customer, Kind, name_of, weighted
from complaints.demo.simulation.sources import Source
from complaints.demo.spam import MADE_UP_NAMES, SUBJECTS
from complaints.demo.strays import STRAYS, Occasion
from complaints.demo.world import World as DemoWorld

if TYPE_CHECKING:
    from complaints.demo.simulation.world import World

PER_CUSTOMER_AND_DAY = 0.0005
# How many in a hundred.
NOISE = {
    "forged": 25,  # our address stands only in lines that the sender made up
    "forwarded": 14,  # the customer's own user has mail sent on, and complains about it
    "newsletter": 16,  # wanted mail, and one who pressed the wrong button
    "hostile": 8,  # somebody accuses whom he likes
    "mistyped": 7,  # a true abuse, and one digit wrong
    "not_ours": 12,
    "stale": 18,  # true, and days late
}
OTHER = ("auto_reply", "bounce", "broken", "question")
OTHER_SHARE = 0.3
NO_WORLD = DemoWorld((), (), ())  # the mails of OTHER look at nothing of it
Accusation = tuple[Source, Abuse, str]


def choose(world: World, dice: random.Random) -> tuple[str, Accusation | None]:
    """→ (kind, who complains about what and whom he names); None: nothing suits just now."""
    kind = weighted(NOISE, dice)
    return kind, MAKERS[kind](world, dice)


def innocent(world: World, dice: random.Random, *kinds: Kind) -> tuple[Customer, str] | None:
    """Somebody with no trouble, and the address of a machine of theirs."""
    for _ in range(20):
        customer = dice.choice(world.customers)
        lines = world.book.lines_of(customer.contract, world.clock.now())
        if (not kinds or customer.kind in kinds) and lines and not world.trouble_of(customer.contract):
            return customer, place_in(lines[0].prefix, dice.randint(2, 61))
    return None


def abuse(world: World, dice: random.Random, customer: Customer | None, where: str, path: str) -> Abuse:
    subject, sender = dice.choice(SUBJECTS)
    now = world.clock.now().replace(microsecond=0)
    return Abuse(
        number=world.next_number(),
        contract=customer.contract if customer else None,
        trouble=None,
        category="spam",
        path=path,
        address=where,
        port=None,
        at=now,
        name=name_of(customer, where) if customer else f"host{where.rpartition('.')[2]}.elsewhere.example",
        helo=dice.choice(MADE_UP_NAMES),
        stranger=f"198.51.100.{dice.randint(2, 250)}",
        subject=subject,
        sender=sender,
        quirk=world.dice("quirk", customer.contract if customer else where, path).random(),
    )


def one_of(world: World, dice: random.Random, *styles: str) -> Source | None:
    found = [each for style in styles for each in world.by_style[style] if not each.hostile]
    return dice.choice(found) if found else None


def forged(world: World, dice: random.Random) -> Accusation | None:
    source, chosen = one_of(world, dice, "pasted", "words", "arf"), innocent(world, dice)
    if source is None or chosen is None:
        return None
    where = f"198.51.100.{dice.randint(2, 250)}"
    made = dataclasses.replace(abuse(world, dice, None, where, "forged"), forged=chosen[1])
    # Feedback loops know whom they talked to. Of the people, some believe what stands lowest in the header.
    is_fooled = source.style != "arf" and dice.random() < 0.5
    return source, made, chosen[1] if is_fooled else where


def forwarded(world: World, dice: random.Random) -> Accusation | None:
    source = one_of(world, dice, "arf", "pasted")
    chosen = innocent(world, dice, Kind.BUSINESS, Kind.TENANT, Kind.HOSTER)
    return (source, abuse(world, dice, *chosen, "forwarded"), chosen[1]) if source and chosen else None


def newsletter(world: World, dice: random.Random) -> Accusation | None:
    source, chosen = one_of(world, dice, "arf"), innocent(world, dice, Kind.BUSINESS, Kind.HOSTER)
    if source is None or chosen is None:
        return None
    made = abuse(world, dice, *chosen, "bulk")
    return source, dataclasses.replace(made, subject="News of the month", sender=f"news@{chosen[0].domain}"), chosen[1]


def hostile(world: World, dice: random.Random) -> Accusation | None:
    enemies = [each for each in world.sources if each.hostile]
    chosen = innocent(world, dice)
    if not enemies or chosen is None:
        return None
    made = abuse(world, dice, None, chosen[1], dice.choice(("bot", "relay")))
    return dice.choice(enemies), dataclasses.replace(made, name=name_of(*chosen)), chosen[1]


def mistyped(world: World, dice: random.Random) -> Accusation | None:
    source, lasting = (
        one_of(world, dice, "words"),
        [each for each in world.troubles[-60:] if each.ended is None and not each.look.by_feed],
    )
    true = world.abuse_of(dice.choice(lasting), dice) if lasting else None
    if source is None or true is None or ":" in true.address:
        return None
    return source, true, slipped(true.address, dice)


def slipped(address: str, dice: random.Random) -> str:
    """One digit of its last number is another."""
    front, _, last = address.rpartition(".")
    while True:
        place, digit = dice.randrange(len(last)), dice.choice("0123456789")
        wrong = last[:place] + digit + last[place + 1 :]
        if wrong != last and str(int(wrong)) == wrong and int(wrong) < 256:
            return f"{front}.{wrong}"


def not_ours(world: World, dice: random.Random) -> Accusation | None:
    source = one_of(world, dice, "words", "arf", "fail2ban")
    where = dice.choice((f"192.0.2.{dice.randint(2, 250)}", address(-dice.randint(1, 9999))))
    return (source, abuse(world, dice, None, where, "bot"), where) if source else None


def stale(world: World, dice: random.Random) -> Accusation | None:
    """A true abuse of days ago: its line may be somebody else's by now, and its trouble over."""
    now = world.clock.now()
    old = [each for each in world.troubles if now - each.began > timedelta(days=3) and not each.look.by_feed]
    if not old:
        return None
    trouble = dice.choice(old)
    lasted = ((trouble.ended or now) - trouble.began).total_seconds()
    at = (trouble.began + timedelta(seconds=dice.uniform(0, lasted))).replace(microsecond=0)
    true = world.abuse_of(trouble, dice, at=at)
    source = one_of(world, dice, "words", "xarf", *(["pasted"] if true and true.category == "spam" else []))
    return (source, true, true.address) if true and source else None


MAKERS = {
    "forged": forged, "forwarded": forwarded, "newsletter": newsletter, "hostile": hostile, "mistyped": mistyped,
    "not_ours": not_ours, "stale": stale,
}  # fmt: skip


def other_mail(world: World, dice: random.Random) -> tuple[str, bytes]:
    """→ (envelope sender, the mail): what is no complaint at all."""
    kind = dice.choice(OTHER)
    now, number = world.clock.now().replace(microsecond=0), world.next_number()
    occasion = Occasion(NO_WORLD, dice, now, number, world.plan.desk)
    made = STRAYS[kind](occasion)
    return made.sender, made.mail
