from __future__ import annotations

from datetime import UTC, datetime

import pytest

from complaints.demo.memory import FILE, ForgottenWorld, recall

NOW = datetime(2026, 3, 10, 12, 0, 0, 400, tzinfo=UTC)
LATER = datetime(2026, 3, 11, 12, tzinfo=UTC)


def test_new_world_is_born_now(tmp_path):
    assert recall(tmp_path, seed=7, now=NOW).born_at == NOW.replace(microsecond=0)


def test_everything_is_remembered(tmp_path):
    memory = recall(tmp_path, seed=7, now=NOW)
    memory.troubled, memory.listed, memory.started = {"C-2"}, {"C-3"}, True
    memory.begun, memory.solved = {"C-2": 1.5}, {"C-3": 2.5}
    memory.plan(20.0, "run", contract="C-2", left=2)
    memory.plan(10.0, "repair", contract="C-2")
    memory.save()

    again = recall(tmp_path, seed=1, now=LATER)

    assert again.as_json() == memory.as_json()
    assert [task.verb for task in again.tasks] == ["repair", "run"]


def test_tasks_of_the_same_moment_keep_their_order(tmp_path):
    memory = recall(tmp_path, seed=7, now=NOW)
    for verb in ("repair", "answer", "delist"):
        memory.plan(5.0, verb)

    assert [task.verb for task in sorted(memory.tasks)] == ["repair", "answer", "delist"]


def test_file_is_for_its_owner_alone_and_no_half_of_it_is_left(tmp_path):
    recall(tmp_path, seed=7, now=NOW).save()

    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1}', "\xff"])
def test_unreadable_memory_is_named_and_not_overwritten(tmp_path, text):
    (tmp_path / FILE).write_text(text, "latin-1")

    with pytest.raises(ForgottenWorld, match=r"world\.json.*--fresh"):
        recall(tmp_path, seed=7, now=NOW)

    assert (tmp_path / FILE).read_text("latin-1") == text
