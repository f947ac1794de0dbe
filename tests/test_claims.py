import os
import subprocess
import sys

import pytest
from django.db import OperationalError

from complaints import claims
from complaints.claims import dead_claims, insist, new_claim, this_machine


def claim_of_another_process() -> str:
    code = "from complaints.claims import new_claim; print(new_claim())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_claim_is_short_enough_for_its_column_and_never_the_same_twice() -> None:
    claims = {new_claim() for _ in range(100)}
    assert len(claims) == 100
    assert max(len(claim) for claim in claims) <= 32


def test_the_claim_of_a_process_that_lives_is_not_dead() -> None:
    assert dead_claims([new_claim()]) == set()


def test_the_claim_of_a_process_that_ended_is_dead() -> None:
    claim = claim_of_another_process()
    assert dead_claims([claim]) == {claim}


def test_a_killed_process_that_nobody_collected_yet_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    claim = f"{this_machine()}-{child.pid}-abc"
    assert dead_claims([claim]) == set()

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert dead_claims([claim]) == {claim}
    child.wait()


def test_another_machines_claim_is_never_taken_for_dead() -> None:
    assert dead_claims(["ffffffff-1-abc", "", "nonsense"]) == set()


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_claim_is_written_as_soon_as_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PAUSES_S", (0, 0, 0))
    away = iter([OperationalError("gone"), OperationalError("starting up"), None])

    def write() -> str:
        if error := next(away):
            raise error
        return "written"

    assert insist(write) == "written"
