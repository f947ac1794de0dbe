"""The process tree, with real processes. A test starts a launcher of its own and reads what it says."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from abusedesk.guard import last_groups
from abusedesk.log_lines import LONGEST_LINE, LogLines
from abusedesk.processes import Backoff, Child, ChildFailed, PortBusy, Tree, require_free_port

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.timeout(90)]

# A child says its number and then waits for a signal; `stubborn` ignores the polite one.
CHILD = """
import os, signal, sys, time
print("pid", os.getpid())
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "family" in sys.argv:
    print("grandchild", os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600"))
print("up")
if "flood" in sys.argv:
    os.execlp("yes", "yes")
time.sleep(600)
"""
LAUNCHER = f"""
import sys
from abusedesk.processes import Backoff, Child, Tree
children = [
    Child(name=name, argv=[sys.executable, "-c", {CHILD!r}, *manner], grace_s=float(sys.argv[1]))
    for name, *manner in (word.split(":") for word in sys.argv[2:])
]
Tree(children, backoff=lambda: Backoff(first_s=0.1), on_ready=lambda: print("all ready", flush=True)).run()
"""


class Launcher:
    def __init__(self, *children: str, grace_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(grace_s), *children],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def wait_for(self, pattern: str, nth: int = 1) -> str:
        """The last group of the nth line that matches, whether it was said before or is yet to come."""
        found = [match for line in self.lines if (match := re.search(pattern, line))]
        while len(found) < nth:
            found += filter(None, [re.search(pattern, self.read_line(pattern))])
        return found[nth - 1].group(found[nth - 1].lastindex or 0)

    def read_line(self, wanted: str) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{wanted!r} was never said, but:\n" + "\n".join(self.lines)
        self.lines.append(line.rstrip("\n"))
        return line

    def read_rest(self) -> list[str]:
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.lines


@pytest.fixture
def launch() -> Iterator[Callable[..., Launcher]]:
    started: list[Launcher] = []

    def start(*children: str, grace_s: float = 1.5) -> Launcher:
        started.append(Launcher(*children, grace_s=grace_s))
        return started[-1]

    yield start
    for launcher in started:
        launcher.process.kill()
        launcher.process.communicate()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_gone(*pids: int) -> None:
    deadline = time.monotonic() + 30
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, [pid for pid in pids if is_alive(pid)]
        time.sleep(0.02)


def test_killed_child_is_started_again_and_the_others_stay(launch):
    launcher = launch("web", "mail")
    first = int(launcher.wait_for(r"web +\| pid (\d+)"))
    other = int(launcher.wait_for(r"mail +\| pid (\d+)"))
    os.kill(first, signal.SIGKILL)
    launcher.wait_for(r"launcher \| web ended \(killed by SIGKILL\); starting it again in 0.1 s")
    second = int(launcher.wait_for(r"web +\| pid (\d+)", nth=2))
    assert second != first
    assert is_alive(other)


def test_killed_launcher_takes_its_children_along(launch):
    launcher = launch("web", "mail")
    pids = [int(launcher.wait_for(r"\| pid (\d+)", nth)) for nth in (1, 2)]
    launcher.process.kill()
    wait_until_gone(*pids)


def test_killed_launcher_takes_the_childrens_children_along(launch):
    launcher = launch("web:family")
    pids = [int(launcher.wait_for(rf"\| {word} (\d+)")) for word in ("pid", "grandchild")]
    launcher.process.kill()
    wait_until_gone(*pids)


def test_guard_forgets_a_group_that_has_ended():
    assert last_groups(["1 100\n", "2 200\n", "1 0\n", "2 0\n", "2 201\n"]) == [201]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_in_reverse_order(launch, number):
    launcher = launch("broker", "web", "mail")
    pids = [int(launcher.wait_for(r"\| pid (\d+)", nth)) for nth in (1, 2, 3)]
    launcher.wait_for("all ready")
    launcher.process.send_signal(number)
    said = launcher.read_rest()
    assert launcher.process.wait() == 0
    assert not any(map(is_alive, pids))
    assert [line.partition("| ")[2] for line in said if "launcher" in line] == [
        "stopping; Ctrl-C again kills what is still running",
        "mail stopped",
        "web stopped",
        "broker stopped",
        "all stopped",
    ]


def test_ctrl_c_in_the_terminal_reaches_the_launcher_alone(launch):
    launcher = launch("web")
    launcher.wait_for("up")
    os.killpg(launcher.process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" not in "\n".join(launcher.read_rest())


def test_child_that_ignores_sigterm_is_killed_after_its_grace(launch):
    launcher = launch("web:stubborn")
    pid = int(launcher.wait_for(r"pid (\d+)"))
    launcher.wait_for("up")
    start = time.monotonic()
    launcher.process.terminate()
    assert "web does not stop, killing it" in "\n".join(launcher.read_rest())
    assert 1.5 <= time.monotonic() - start < 20
    assert not is_alive(pid)


def test_second_ctrl_c_does_not_wait_for_the_grace(launch):
    launcher = launch("web:stubborn", "mail:stubborn", grace_s=60)
    launcher.wait_for("up", nth=2)
    start = time.monotonic()
    launcher.process.send_signal(signal.SIGINT)
    launcher.wait_for("stopping")
    launcher.process.send_signal(signal.SIGINT)
    launcher.read_rest()
    assert time.monotonic() - start < 20


def test_child_that_never_stops_talking_is_stopped_too(launch):
    launcher = launch("web:flood", "mail")
    launcher.wait_for("mail .* up")
    launcher.process.send_signal(signal.SIGINT)
    start = time.monotonic()
    assert launcher.read_rest()[-1] == "launcher | all stopped"
    assert time.monotonic() - start < 20


def test_grandchildren_of_a_killed_child_do_not_stay(launch):
    launcher = launch("web:family")
    pid = int(launcher.wait_for(r"pid (\d+)"))
    grandchild = int(launcher.wait_for(r"grandchild (\d+)"))
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(grandchild)


def test_reader_that_goes_away_stops_the_tree(launch):
    launcher = launch("web")
    pid = int(launcher.wait_for(r"pid (\d+)"))
    assert launcher.process.stdout is not None
    launcher.process.stdout.close()
    launcher.process.stdout = None
    os.kill(pid, signal.SIGKILL)  # something to be said, with nobody to hear it
    launcher.process.wait(timeout=30)


def test_child_is_started_only_when_the_one_before_is_ready(tmp_path: Path):
    flag = tmp_path / "flag"
    slow = Child(name="slow", argv=["sh", "-c", f"sleep 0.5; touch {flag}; sleep 600"], ready=flag.exists)
    after = Child(name="after", argv=["sh", "-c", f"test -e {flag} && echo in order; sleep 600"])
    out = io.StringIO()
    tree = Tree([slow, after], out=out, on_ready=lambda: None)
    run_until(tree, lambda: "in order" in out.getvalue())
    assert "after    | in order" in out.getvalue()


def test_child_that_never_becomes_ready_fails_the_start_and_stops_the_rest():
    first = Child(name="first", argv=["sleep", "600"])
    never = Child(name="never", argv=["sleep", "600"], ready=lambda: False, ready_timeout_s=0.3)
    tree = Tree([first, never], out=io.StringIO())
    with pytest.raises(ChildFailed, match=r"^never was not ready within 0\.3 s$"):
        tree.run()
    assert [running.process for running in tree.running] == [None, None]


def test_child_that_ends_before_it_is_ready_fails_the_start_at_once():
    broken = Child(name="web", argv=["sh", "-c", "echo no such setting; exit 3"], ready=lambda: False)
    out = io.StringIO()
    with pytest.raises(ChildFailed, match="web ended before it was ready"):
        Tree([broken], out=out).run()
    assert "web      | no such setting" in out.getvalue()


def test_program_that_does_not_exist_is_named():
    with pytest.raises(ChildFailed, match=r"web cannot be started: .*no-such-program"):
        Tree([Child(name="web", argv=["/no-such-program"])], out=io.StringIO()).run()


def test_childs_variables_are_added_to_the_launchers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OURS", "1")
    out = io.StringIO()
    web = Child(name="web", argv=["sh", "-c", "echo $OURS$THEIRS; sleep 99"], env={"THEIRS": "2"})
    run_until(Tree([web], out=out), lambda: "| 12" in out.getvalue())
    assert "web      | 12" in out.getvalue()


def run_until(tree: Tree, asked: Callable[[], bool], *, within_s: float = 20) -> None:
    """Let the tree live until it did what is asked, then stop it as a Ctrl-C would."""
    until = time.monotonic() + within_s

    def look(*_: object) -> None:
        if asked() or time.monotonic() > until:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    tree.run()


def test_delay_doubles_to_a_limit_and_is_forgotten_after_a_good_run():
    backoff = Backoff()
    assert [backoff.delay(ran_s=1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.delay(ran_s=59) == 30
    assert backoff.delay(ran_s=60) == 0.5


def test_lines_are_passed_on_whole_and_named():
    out = io.StringIO()
    lines = LogLines("web", out, width=6, colour=1)
    lines.feed(b"one\r\ntw")
    lines.feed(b"o\nthree")
    lines.finish()
    assert out.getvalue() == "web    | one\nweb    | two\nweb    | three\n"


def test_escape_sequences_do_not_reach_the_terminal():
    out = io.StringIO()
    LogLines("web", out, width=3, colour=1).feed("Subject: \x1b]0;owned\x07\x9b2J \xff\tä\n".encode())
    assert out.getvalue() == "web | Subject: �]0;owned��2J ÿ\tä\n"


def test_line_without_end_does_not_grow_for_ever():
    out = io.StringIO()
    lines = LogLines("web", out, width=3, colour=1)
    lines.feed(b"x" * (LONGEST_LINE + 1))
    assert lines.rest == b""
    assert len(out.getvalue()) == LONGEST_LINE + 1 + len("web | \n")


def test_busy_port_is_named_with_what_wanted_it_and_how_to_change_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy) as refused:
            require_free_port("127.0.0.1", port, "the web server", "ABUSEDESK_WEB_LISTEN")
    assert str(refused.value) == (
        f"the web server wants 127.0.0.1 port {port}: Address already in use; "
        "set ABUSEDESK_WEB_LISTEN to listen elsewhere"
    )


def test_an_address_that_is_none_is_named_too():
    with pytest.raises(PortBusy, match=r"the web server wants fe80::1%nowhere port 80: .*; set WEB to"):
        require_free_port("fe80::1%nowhere", 80, "the web server", "WEB")


def test_free_port_is_still_free_afterwards(free_port: int):
    require_free_port("127.0.0.1", free_port, "the web server")
    with socket.create_server(("127.0.0.1", free_port)):
        pass


def test_address_of_another_machine_is_refused_in_words():
    with pytest.raises(PortBusy, match=r"^LMTP wants 192\.0\.2\.1 port 8024: Cannot assign requested address"):
        require_free_port("192.0.2.1", 8024, "LMTP")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_names_are_coloured_on_a_terminal_alone():
    out = Terminal()
    LogLines("web", out, width=3, colour=1).feed(b"up\n")
    assert out.getvalue() == "\x1b[36mweb |\x1b[0m up\n"
