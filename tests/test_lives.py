"""A whole life of a case for every shipped playbook, in one process tree: real SMTP, LMTP, broker, workers and web.

Two customers for each: one mends it at once and says so, the other does nothing until the whole ladder is climbed.
The playbooks are the shipped ones to the letter. Days pass by making all that the desk has written down as much older
(Desk.let_pass), half a day at a time and only while nothing is due, so that nothing is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from complaints.playbooks.loading import SHIPPED
from tests.services.desk import Desk
from tests.services.http import Response, Service, http_service
from tests.services.street import Life, Street
from tests.test_main_job import must

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]
HALF_A_DAY = timedelta(hours=12)
FIRST_DAYS = 8  # half days in which more than one thing happens within a day
HALF_DAYS = 50
KEY = "the-key-of-the-measures-of-the-lives"
HOME = "Home 250"
KINDS: dict[str, dict[str, Any]] = {
    "open relay": {"wrong": "relayed", "open": True},
    "bot": {"wrong": "direct", "listed": "bot", "product": HOME},
    "stolen mailbox": {"wrong": "logged in"},
    "bulk mail": {"wrong": "mailing", "voices": 6},
    "vulnerable service": {"wrong": "open service"},
    "content": {"wrong": "phishing"},
    "attack": {"wrong": "scan", "product": HOME},
    "mail abuse": {"wrong": "in words", "voices": 6},
}
LIVES = [
    Life(contract=f"C-{first + number}", playbook=name, answers=answers, **kind)
    for first, answers in ((11, "at once"), (31, "late"))
    for number, (name, kind) in enumerate(KINDS.items())
]
# What comes of not answering: the letters, the measures, and what people are asked to do, in order.
LADDERS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "open relay": (["remind", "escalated"], ["limit_25"], ["nobody-answers"]),
    "bot": (["remind", "escalated"], ["limit_25", "quarantine"], ["nobody-answers"]),
    "stolen mailbox": (["remind", "escalated"], ["lock_account"], ["nobody-answers"]),
    "bulk mail": (["remind", "escalated"], [], ["talk", "nobody-answers"]),
    "vulnerable service": (["remind", "escalated"], [], ["nobody-answers"]),
    "content": (["escalated"], [], ["take-down", "nobody-answers"]),  # phishing: hours, and no reminder before
    "attack": (["remind", "escalated"], ["quarantine"], ["nobody-answers"]),
    "mail abuse": (["remind", "escalated"], [], []),
}
CONTRACT_COLUMNS = "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language\n"
MASTER_DATA = {
    "import_networks": "prefix,name\n127.77.0.0/16,ours\n",
    "import_contracts": CONTRACT_COLUMNS
    + "".join(f"{one.contract},K-{one.contract},{one.email},{one.product},,,{one.email},holder,en\n" for one in LIVES),
    "import_assignments": "contract,prefix,kind,valid_from,valid_until,port_first,port_last\n"
    + "".join(f"{one.contract},{one.address}/32,static,2024-01-01T00:00:00Z,,,\n" for one in LIVES),
}


@pytest.fixture
def network() -> Iterator[Service]:
    """The ISP's own system, which limits lines as it is told."""
    with http_service(lambda request: Response(204)) as service:
        yield service


@pytest.fixture
def desk(tmp_path: Path, migrated: Path, network: Service) -> Desk:
    desk = Desk(
        tmp_path,
        ABUSEDESK_MEASURES="webhook", ABUSEDESK_MEASURES_URL=network.url, ABUSEDESK_MEASURES_KEY=KEY,
        ABUSEDESK_WORKING_HOURS="mon-sun 00:00-23:59",
    )  # fmt: skip
    desk.take_tables(migrated)
    must(desk, "load_playbooks")
    for command, text in MASTER_DATA.items():
        path = tmp_path / f"{command}.csv"
        path.write_text(text)
        must(desk, command, str(path))
    shell(desk, f"from complaints.models import Product; Product.objects.create(name={HOME!r}, kind='residential')")
    return desk


def shell(desk: Desk, code: str) -> None:
    must(desk, "shell", "-v0", "-c", code)


def test_every_shipped_playbook_has_its_lives() -> None:
    names = {yaml.safe_load(path.read_text())["name"] for path in SHIPPED.glob("*.yaml")}
    assert names == set(KINDS) == set(LADDERS)


def test_every_shipped_playbook_leads_from_complaint_to_fix_and_up_its_ladder(desk: Desk, network: Service) -> None:
    with Street(desk, LIVES) as street, desk.running():
        for life in LIVES:
            street.complain(life)
        desk.wait_until(lambda: len(cases_of(desk)) == len(LIVES), within_s=120)
        live(desk, street)
        desk.wait_until(lambda: in_force(desk) == [], within_s=120)

    for life in LIVES:
        assert became_of(desk, street, life) == expected(life)
    assert orders(network) == expected_orders()


def live(desk: Desk, street: Street) -> None:
    """From half a day to the next, until every case is closed."""
    waiting = list(LIVES)
    for half_days in range(HALF_DAYS):
        desk.wait_until(lambda: is_at_rest(desk), within_s=120)
        decide_what_no_machine_may(desk)
        do_tasks(desk)
        for life in list(waiting):
            if "notify" in street.letters(life) and (life.answers == "at once" or is_at_the_top(desk, life)):
                street.press(life)
                waiting.remove(life)
        desk.wait_until(lambda: is_at_rest(desk), within_s=120)
        if {state for _, state in cases_of(desk)} == {"closed"}:
            return
        desk.let_pass(HALF_A_DAY if half_days < FIRST_DAYS else 2 * HALF_A_DAY)
        for life in waiting:
            street.tell(life)
    raise AssertionError(f"not closed after all these days: {cases_of(desk)}")


def is_at_rest(desk: Desk) -> bool:
    """Nothing is due and nobody works: the next thing that happens is brought by time or by people."""
    checks = desk.rows("SELECT COUNT(*) FROM complaints_checkrun WHERE state IN ('queued', 'running', 'waiting')")
    soon = desk.rows(
        "SELECT COUNT(*) FROM complaints_case WHERE due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now', '+5 seconds')"
    )
    measures = desk.rows(
        "SELECT COUNT(*) FROM complaints_intervention WHERE state NOT IN ('in_force', 'released', 'decided')"
    )
    mails = desk.rows("SELECT COUNT(*) FROM complaints_notice WHERE state IN ('queued', 'sending')")
    unread = desk.rows("SELECT COUNT(*) FROM complaints_reading WHERE state = 'waiting'")
    return {checks[0], soon[0], measures[0], mails[0], unread[0]} == {(0,)}


def decide_what_no_machine_may(desk: Desk) -> None:
    """Where nothing says what is behind it, an analyst reads the complaints and writes to the customer."""
    if any(state == "triage" for _, state in cases_of(desk)):
        shell(
            desk,
            "from complaints.models import Case; from complaints.playbooks.runner import notify_now\n"
            "for case in Case.objects.filter(state='triage'): notify_now(case, actor='ada')",
        )


def do_tasks(desk: Desk) -> None:
    """People say that they have done what they were asked to; of the last that a ladder asks for, they do not."""
    keys = "', '".join(tasks[0] for _, _, tasks in LADDERS.values() if len(tasks) > 1)
    if desk.rows("SELECT id FROM complaints_desktask WHERE kind = 'playbook' AND done_at IS NULL"):
        shell(
            desk,
            "from django.utils.timezone import now; from complaints.cases.tasks import end_task\n"
            "from complaints.models import DeskTask\n"
            "for task in DeskTask.objects.filter(kind='playbook', done_at=None):\n"
            f"    if task.key.split('/')[1] in ['{keys}']: end_task('playbook', task.key, actor='ada', now=now())",
        )


def cases_of(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT id, state FROM complaints_case")


def in_force(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT id FROM complaints_intervention WHERE state != 'released'")


def about(desk: Desk, life: Life, columns: str, *, of: str = "") -> list[tuple[Any, ...]]:
    """Columns of the case of this customer (`c`), or of its rows in another table (`o`), the oldest first."""
    rows, order = (f" JOIN complaints_{of} o ON o.case_id = c.id", "o.id") if of else ("", "c.id")
    return desk.rows(
        f"SELECT {columns} FROM complaints_case c JOIN complaints_contract k ON k.id = c.contract_id"
        f" JOIN complaints_playbookversion p ON p.id = c.playbook_id{rows}"
        f" WHERE k.reference = '{life.contract}' ORDER BY {order}"
    )


def moves_of(desk: Desk, life: Life) -> list[tuple[str, str]]:
    moves = about(desk, life, "o.kind, json_extract(o.data, '$.to'), o.actor", of="caseevent")
    return [(to, actor) for kind, to, actor in moves if kind == "moved"]


def measures_of(desk: Desk, life: Life) -> list[tuple[Any, ...]]:
    return about(desk, life, "o.kind, o.state", of="intervention")


def tasks_of(desk: Desk, life: Life) -> list[str]:
    return [key.split("/")[1] for (key,) in about(desk, life, "o.key", of="desktask")]


def is_at_the_top(desk: Desk, life: Life) -> bool:
    _, measures, tasks = LADDERS[life.playbook]
    return (
        ("escalated", "machine") in moves_of(desk, life)
        and tasks_of(desk, life) == tasks
        and measures_of(desk, life) == [(kind, "in_force") for kind in measures]
    )


def became_of(desk: Desk, street: Street, life: Life) -> dict[str, Any]:
    """The case as the desk keeps it, and the letters as the customer's mail server got them."""
    return {
        "cases": about(desk, life, "p.name, c.state, c.resolution"),
        "moves": moves_of(desk, life),
        "letters": street.letters(life),
        "measures": measures_of(desk, life),
        "tasks": tasks_of(desk, life),
    }


def expected(life: Life) -> dict[str, Any]:
    letters, measures, tasks = LADDERS[life.playbook] if life.answers == "late" else ([], [], [])
    begin = [("triage", "machine"), ("notified", "ada")] if life.wrong == "in words" else [("notified", "machine")]
    ladder = [("escalated", "machine")] if life.answers == "late" else []
    resolution = "fixed_verified" if life.open else "fixed_not_verifiable"  # only a probe proves a fix
    return {
        "cases": [(life.playbook, "closed", resolution)],
        "moves": [*begin, *ladder, ("verifying", "customer"), ("closed", "machine")],
        "letters": ["notify", *letters, "solved"],
        "measures": [(kind, "released") for kind in measures],
        "tasks": tasks,
    }


def orders(network: Service) -> list[tuple[Any, ...]]:
    """What the ISP's network was told, by line: each order once, and lifted in the end."""
    bodies = [json.loads(request.body) for request in network.requests]
    return sorted((each["contract"], each["kind"], each["lift"], tuple(each["prefixes"])) for each in bodies)


def expected_orders() -> list[tuple[Any, ...]]:
    return sorted(
        (life.contract, kind, lift, (f"{life.address}/32",))
        for life in LIVES
        if life.answers == "late"
        for kind in LADDERS[life.playbook][1]
        for lift in (False, True)
    )
