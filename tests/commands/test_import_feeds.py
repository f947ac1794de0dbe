"""The commands of lease feeds: a summary out, faults on standard error, complaints asked about again, and --follow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from complaints.models import Assignment, Complaint, FeedPosition, LineIdentifier, WaitingLease
from tests.attribution.leases.test_feeds import V4, kea4, know, record
from tests.factories import make_complaint, make_contract, make_network

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plan() -> None:
    make_network("192.0.2.0/24")
    know("radius_user", "anna@isp.example", "anna")
    know("mac", "00:11:22:aa:bb:01", "anna")


@pytest.fixture
def detail(tmp_path: Path) -> Path:
    path = tmp_path / "detail"
    path.write_text(record("Start", -5) + record("Start", 0, **{"User-Name": ""}))
    return path


@pytest.mark.django_db
@pytest.mark.usefixtures("plan")
def test_a_feed_is_summed_up_and_its_faults_are_told(detail):
    out, err = StringIO(), StringIO()

    call_command("import_radius", str(detail), stdout=out, stderr=err)

    summary = json.loads(out.getvalue())
    assert {name: summary[name] for name in ("records", "created", "faults", "waiting")} == {
        "records": 2,
        "created": 1,
        "faults": 1,
        "waiting": 0,
    }
    assert err.getvalue() == f"{detail}:9: names nobody: User-Name and Calling-Station-Id are missing\n"


@pytest.mark.django_db
@pytest.mark.usefixtures("plan")
def test_complaints_about_what_was_imported_are_asked_about_again(detail):
    complaint = make_complaint()
    out = StringIO()
    detail.write_text(detail.read_text() + record("Interim-Update", 10))

    call_command("import_radius", str(detail), stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue())["complaints"] == {"asked": 1, "filed": 1, "proposed": 0}
    assert Complaint.objects.get(pk=complaint.pk).contract.reference == "anna"


@pytest.mark.django_db
@pytest.mark.usefixtures("plan")
def test_a_dry_run_asks_nobody(detail):
    make_complaint()
    out = StringIO()

    call_command("import_radius", str(detail), dry_run=True, stdout=out, stderr=StringIO())

    assert "complaints" not in json.loads(out.getvalue())
    assert Assignment.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.usefixtures("plan")
def test_ending_what_stood_in_the_way_places_the_lease(detail, load):
    make_contract("bruno")
    line = "bruno,192.0.2.10/32,static,2026-01-01T00:00:00Z,{},,"
    load("assignments", line.format(""))
    call_command("import_radius", str(detail), stdout=StringIO(), stderr=StringIO())
    assert WaitingLease.objects.get().why == "held"

    summary = load("assignments", line.format("2026-03-01T00:00:00Z"))

    assert (summary["updated"], summary["placed"]) == (1, 1)
    assert Assignment.objects.get(kind="lease").contract.reference == "anna"


@pytest.mark.django_db
def test_a_feed_that_is_not_there_is_named(tmp_path):
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_kea", str(tmp_path / "gone"), stderr=err)

    assert err.getvalue() == f"{tmp_path}/gone: cannot be read: No such file or directory\n"


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_following_goes_on_after_a_kill_and_ends_by_sigterm(tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("the test's own database is a file that another process can open")
    make_network("192.0.2.0/24")
    know("mac", "00:11:22:aa:bb:01", "anna")
    leases = tmp_path / "kea-leases4.csv"
    leases.write_text(V4 + kea4(0))

    killed = follow(leases)
    wait_for(lambda: FeedPosition.objects.filter(line=2).exists())
    killed.kill()
    killed.wait()
    with leases.open("a") as file:
        file.write(kea4(30))
    second = follow(leases)
    wait_for(lambda: FeedPosition.objects.filter(line=3).exists())
    second.send_signal(signal.SIGTERM)
    out, _ = second.communicate(timeout=60)

    assert (second.returncode, json.loads(out)["records"]) == (0, 1)
    assert Assignment.objects.count() == 1
    assert LineIdentifier.objects.count() == 1


def follow(path: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "abusedesk.settings",
        "ABUSEDESK_SECRET_KEY": "a-secret-of-the-tests-alone-0123456789-abcdefghijklmnop",
    }
    command = [sys.executable, "manage.py", "import_kea", str(path), "--follow"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
