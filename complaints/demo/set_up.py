"""What the desk's own people have set up before the story begins: brands, rules, and the counts of the relays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from complaints.cases.flow_files import COLUMNS, import_mail_flow
from complaints.cases.rules import add_rule
from complaints.cases.rules_match import IGNORE, ROUTE
from complaints.demo.strays import SELLER
from complaints.demo.world import World, csv_text
from complaints.models import Brand, Rule
from complaints.vocabulary import Category

BRANDS: tuple[dict[str, Any], ...] = (
    {
        "name": "business", "title": "Example Net Business", "phone": "+44 1632 960100", "colour": "#0b5c4a",
        "signature": "Example Net Business\n1 Harbour Row, Port Example", "default": True,
    },
    {
        "name": "hummingbird", "title": "Hummingbird Internet", "phone": "+44 1632 960200", "colour": "#7a2e8c",
        "signature": "Hummingbird Internet, a brand of Example Net",
    },
)  # fmt: skip
RULES: tuple[dict[str, Any], ...] = (
    {
        "kind": IGNORE, "name": "Scan Beacon sells scans", "conditions": {"reporter": [SELLER]},
        "reason": "Each of their reports is an advertisement for a paid scan, without a log line",
    },
    {
        "kind": ROUTE, "name": "Attacks go to the network team", "team": "Network",
        "conditions": {"category": [Category.LOGIN_ATTACK.value]},
        "reason": "They know the routers, and whom to call at night",
    },
)  # fmt: skip
FLOW_DAYS = 56
LOUD = "C-2045"  # whose machine sends far more than it did, from the day before the story on
LOUD_TIMES = 40


def set_up_desk(world: World, *, born_at: datetime, now: datetime) -> None:
    """Safe to repeat: what an administrator has changed since stays changed."""
    for brand in BRANDS:
        Brand.objects.get_or_create(name=brand["name"], defaults=brand)
    if not Rule.objects.exists():
        for rule in RULES:
            add_rule(rule, actor="carla", now=now, active=True)
    flow = csv_text([COLUMNS, *flow_rows(world, born_at=born_at, until=now.date())])
    import_mail_flow(flow.splitlines(keepends=True), name="demo mail flow.csv", now=now)


def flow_rows(world: World, *, born_at: datetime, until: date) -> Iterator[tuple[object, ...]]:
    """As the ISP's relays would tell it: every whole day of the weeks before `until`, the same however often asked."""
    contracts = [host.contract for host in world.hosts if host.resident.line in ("lease", "static")]
    for contract in contracts:
        for days in range(FLOW_DAYS, 0, -1):
            day = until - timedelta(days=days)
            rng = random.Random(f"{contract}/{day}")
            loud = contract == LOUD and day >= born_at.date() - timedelta(days=1)
            messages = rng.randint(60, 110) * (LOUD_TIMES if loud else 1)
            yield contract, day, messages, messages // 20, messages // (3 if loud else 30), messages * 24_000
