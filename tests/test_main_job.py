"""The main job, with the real process tree: a complaint, a customer who fixes the relay, a case closed by proof."""

from __future__ import annotations

import contextlib
import json
import smtplib
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from complaints.demo import life
from complaints.demo.small import SmallWorld
from complaints.playbooks.loading import SHIPPED
from tests.services.desk import MANAGE, Desk
from tests.test_pipeline import arf

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
ADDRESS = "127.77.0.25"


@pytest.fixture
def desk(tmp_path: Path, migrated: Path) -> Desk:
    """A desk that knows the small world's line, with the shipped playbooks in a hurry."""
    desk = Desk(tmp_path)
    hurried = [tmp_path / path.name for path in sorted(SHIPPED.glob("*.yaml"))]
    for path in hurried:
        path.write_text((SHIPPED / path.name).read_text().replace("15m", "1s"))
    files = {
        "import_networks": "prefix,name\n127.77.0.0/16,ours\n",
        "import_contracts": (
            "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language\n"
            "C-1,K-1,Atelier Brenn,business,isp,Nora Brenn,nora@atelier-brenn.example,holder,en\n"
        ),
        "import_assignments": (
            "contract,prefix,kind,valid_from,valid_until,port_first,port_last\n"
            f"C-1,{ADDRESS}/32,static,2024-01-01T00:00:00Z,,,\n"
        ),
    }
    desk.take_tables(migrated)
    must(desk, "load_playbooks", *map(str, hurried))
    for command, text in files.items():
        path = tmp_path / f"{command}.csv"
        path.write_text(text)
        must(desk, command, str(path))
    return desk


def must(desk: Desk, *words: str) -> bytes:
    done = desk.manage(*words)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def world(desk: Desk) -> Iterator[SmallWorld]:
    outside = life.Desk(site=desk.site, listener=("127.0.0.1", desk.port["smtp"]), address="abuse@isp.example")
    mailbox, dns = ("127.0.0.1", desk.port["mailbox"]), ("127.0.0.1", desk.port["dns"])
    with SmallWorld(outside, relay_port=desk.port["relay"], address=ADDRESS, mailbox=mailbox, dns=dns) as world:
        yield world


def test_a_complaint_leads_to_a_proven_fix(desk: Desk, world: SmallWorld) -> None:
    with desk.running():
        world.begin()
        world.wait_for_notice("notify")
        world.wait_for_notice("solved")
        desk.wait_until(lambda: case_of(desk) == [("closed", "fixed_verified", "open_relay")], within_s=60)

    moves = desk.rows(
        "SELECT json_extract(data, '$.to'), actor FROM complaints_caseevent WHERE kind = 'moved' ORDER BY id"
    )
    assert moves == [("notified", "machine"), ("verifying", "customer"), ("closed", "machine")]
    checks = desk.rows("SELECT occasion, verdict FROM complaints_checkrun WHERE check_name = 'relay' ORDER BY id")
    assert checks == [("investigate.1", "bad"), ("verify.3", "clean"), ("verify-again.3", "clean")]


def test_one_command_does_the_same_up_to_the_notice(desk: Desk, world: SmallWorld, tmp_path: Path) -> None:
    report = tmp_path / "report.eml"
    report.write_bytes(arf(address=ADDRESS))
    with only_the_listener(desk):
        world.begin()
        desk.wait_until(lambda: desk.rows("SELECT COUNT(*) FROM complaints_reading") != [(0,)], within_s=60)
        summary = json.loads(must(desk, "receive_mail", str(report), "--wait"))

    assert (summary["stored"], summary["complaints"], summary["attributed"], summary["cases"]) == (1, 1, 1, 1)
    assert world.wait_for_notice("notify").step == "notify"
    assert case_of(desk) == [("notified", "", "open_relay")]


def test_kill_9_of_any_part_at_any_time_loses_nothing_and_doubles_nothing(desk: Desk, world: SmallWorld) -> None:
    mails = [arf(number, address=ADDRESS) for number in range(80)]
    with desk.running():
        sender = threading.Thread(target=send_all, args=(desk, mails))
        sender.start()
        world.begin()
        for part in ("-n worker@", "valkey-server", "run_smtp", "-n checker@", "gunicorn", "beat", "-n worker@") * 2:
            time.sleep(1.2)
            desk.wait_until(lambda part=part: desk.kill(part) > 0, within_s=60)
        sender.join(timeout=180)
        assert not sender.is_alive()
        desk.wait_until(lambda: nothing_waits(desk), within_s=200)
        desk.wait_until(lambda: case_of(desk) == [("closed", "fixed_verified", "open_relay")], within_s=200)

    subjects = Counter(row[0] for row in desk.rows("SELECT subject FROM complaints_complaint"))
    assert [subjects[f"offer {number}"] for number in range(80)] == [1] * 80
    assert desk.rows("SELECT COUNT(*) FROM complaints_case") == [(1,)]
    assert Counter(notice.step for notice in world.notices) == {"notify": 1, "solved": 1}
    doubled = desk.rows(
        "SELECT occasion, COUNT(*) FROM complaints_checkrun GROUP BY check_name, occasion HAVING COUNT(*) > 1"
    )
    assert doubled == []


@contextlib.contextmanager
def only_the_listener(desk: Desk) -> Iterator[None]:
    """Our mailbox for probes, and no worker at all."""
    listener = subprocess.Popen([*MANAGE, "run_smtp"], env=desk.environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        listener.terminate()
        listener.wait(timeout=20)


def case_of(desk: Desk) -> list[tuple[str, str, str]]:
    return desk.rows("SELECT state, resolution, cause FROM complaints_case")  # type: ignore[return-value]


def nothing_waits(desk: Desk) -> bool:
    waiting = desk.rows("SELECT COUNT(*) FROM complaints_reading WHERE state = 'waiting'")
    checks = desk.rows("SELECT COUNT(*) FROM complaints_checkrun WHERE state IN ('queued', 'running', 'waiting')")
    notices = desk.rows("SELECT COUNT(*) FROM complaints_notice WHERE state IN ('queued', 'sending')")
    return (waiting, checks, notices) == ([(0,)], [(0,)], [(0,)])


def send_all(desk: Desk, mails: list[bytes]) -> None:
    """As a mail server does: what got no 250 is tried again."""
    for mail in mails:
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", desk.port["smtp"], timeout=10) as smtp:
                    smtp.sendmail("feedback@provider.example", ["abuse@isp.example"], mail)
                break
            except (OSError, smtplib.SMTPException):
                time.sleep(0.1)
        time.sleep(0.1)
