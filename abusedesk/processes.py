"""One process tree: start the children in order, keep them alive, stop them in reverse. No Django.

The launcher is a single-threaded loop (`Tree.run`) over the children's output. Three things make it
leave nothing behind: each child leads its own process group, which is swept when the child is gone;
the kernel kills every child when the launcher dies, by whatever signal; and then a guard sweeps their
groups. The groups also keep a Ctrl-C away from the children: the launcher stops them in order.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from types import FrameType
from typing import TextIO

from abusedesk.guard import NONE, Guard
from abusedesk.log_lines import LogLines

TICK_S = 0.1
PIPE_SIZE = 65536  # what a pipe can hold, pipe(7)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # prctl(2); Linux only
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ChildFailed(Exception):
    """A child ended, or was not ready in time, while the tree was starting."""


class PortBusy(Exception):
    """A listening address cannot be had; the message says which, for what, and how to change it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Child:
    """One program of the tree.

    env: added to the launcher's environment. ready: asked every tick after the start, must return
    at once; None means ready when started. grace_s: how long SIGTERM may take before SIGKILL.
    hushed: lines of its output with one of these words are left out.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    ready_timeout_s: float = 30
    grace_s: float = 10
    hushed: Sequence[str] = ()


@dataclasses.dataclass(kw_only=True)
class Backoff:
    """Seconds to wait before a restart: doubles with every quick death, forgets after a good run."""

    first_s: float = 0.5
    longest_s: float = 30
    forget_after_s: float = 60
    next_s: float = 0

    def delay(self, *, ran_s: float) -> float:
        if ran_s >= self.forget_after_s or not self.next_s:
            self.next_s = self.first_s
        delay = self.next_s
        self.next_s = min(delay * 2, self.longest_s)
        return delay


class Running:
    """A child with what changes while it lives: its process, its output, its next start."""

    def __init__(self, number: int, child: Child, backoff: Backoff, lines: LogLines) -> None:
        self.number = number
        self.child = child
        self.backoff = backoff
        self.lines = lines
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.restart_at: float | None = None

    def start(self, guard: Guard) -> None:
        self.started_at, self.restart_at = time.monotonic(), None
        self.process = subprocess.Popen(
            self.child.argv,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.child.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with(os.getpid()),
        )
        guard.watch(self.number, self.process.pid)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def reap(self, guard: Guard) -> int | None:
        """The exit code once the child has ended, and never while it lives.

        The group is swept before the leader is reaped: until then its number cannot be reused.
        """
        process = self.process
        if process is None or not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        guard.watch(self.number, NONE)
        self.process = None
        self.pump(process)
        assert process.stdout is not None
        process.stdout.close()
        self.lines.finish()
        return process.wait()

    def pump(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the pipe holds, once: a child that never stops talking must not keep the loop from its work."""
        assert process.stdout is not None
        with suppress(BlockingIOError):
            self.lines.feed(os.read(process.stdout.fileno(), PIPE_SIZE))

    def send(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)


class Tree:
    """The children in their order of start. `run` returns when a signal asked it to stop."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        out: TextIO | None = None,
        backoff: Callable[[], Backoff] = Backoff,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        out = out or sys.stdout
        names = ["launcher", *(child.name for child in children)]
        width = max(map(len, names))
        self.log = LogLines("launcher", out, width=width, colour=0)
        self.running = [
            Running(
                number, child, backoff(), LogLines(child.name, out, width=width, colour=number, hushed=child.hushed)
            )
            for number, child in enumerate(children, start=1)
        ]
        self.on_ready = on_ready
        self.signals = 0

    def run(self) -> None:
        """Start, watch and stop. `on_ready` is called once, when every child is ready.

        Raises:
            ChildFailed: a child did not become ready; the others have been stopped again.
        """
        with self.catch_signals(), closing(Guard()) as self.guard:
            try:
                if self.start_all():
                    self.on_ready()
                while not self.stopping:
                    self.turn()
            finally:
                self.stop_all()

    @property
    def stopping(self) -> bool:
        return self.signals > 0 or self.log.reader_is_gone

    def start_all(self) -> bool:
        """Whether all of them became ready; False when a signal came first."""
        for running in self.running:
            if self.stopping:
                return False
            self.start(running)
            self.wait_until_ready(running)
        return not self.stopping

    def start(self, running: Running) -> None:
        try:
            running.start(self.guard)
        except OSError as exc:
            raise ChildFailed(f"{running.child.name} cannot be started: {exc}") from exc

    def wait_until_ready(self, running: Running) -> None:
        child = running.child
        deadline = time.monotonic() + child.ready_timeout_s
        while child.ready is not None and not self.stopping:
            self.turn()
            if running.process is None:
                raise ChildFailed(f"{child.name} ended before it was ready; its last lines above say why")
            if child.ready():
                return
            if time.monotonic() > deadline:
                raise ChildFailed(f"{child.name} was not ready within {child.ready_timeout_s:g} s")

    def turn(self) -> None:
        """Pass output on, notice deaths, restart what is due."""
        self.wait_for_output()
        for running in self.running:
            code = running.reap(self.guard)
            if code is not None and not self.stopping:
                self.plan_restart(running, code)
            if running.restart_at is not None and time.monotonic() >= running.restart_at and not self.stopping:
                self.start(running)

    def wait_for_output(self) -> None:
        """Sleep a tick, or until a child writes. A child that closed its output is left to the tick."""
        with selectors.DefaultSelector() as selector:
            for running in self.running:
                if running.process is not None and running.process.stdout is not None:
                    selector.register(running.process.stdout, selectors.EVENT_READ, running)
            ready = selector.select(TICK_S)
        for key, _ in ready:
            key.data.pump(key.data.process)
        if ready:
            time.sleep(TICK_S / 10)  # a flood, or an end of file, must not spin the loop

    def plan_restart(self, running: Running, code: int) -> None:
        now = time.monotonic()
        delay = running.backoff.delay(ran_s=now - running.started_at)
        running.restart_at = now + delay
        self.log.say(f"{running.child.name} ended ({in_words(code)}); starting it again in {delay:g} s")

    def stop_all(self) -> None:
        alive = [running for running in reversed(self.running) if running.process is not None]
        if alive:
            self.log.say("stopping; Ctrl-C again kills what is still running")
        self.signals = max(self.signals, 1)
        for running in alive:
            self.stop(running)
            self.log.say(f"{running.child.name} stopped")
        if alive:
            self.log.say("all stopped")

    def stop(self, running: Running) -> None:
        running.send(signal.SIGTERM)
        deadline = time.monotonic() + running.child.grace_s
        killed = False
        while running.process is not None:
            if not killed and (self.signals > 1 or time.monotonic() > deadline):
                killed = True
                self.log.say(f"{running.child.name} does not stop, killing it")
                running.send(signal.SIGKILL)
            self.turn()

    @contextmanager
    def catch_signals(self) -> Iterator[None]:
        def count(_number: int, _frame: FrameType | None) -> None:
            self.signals += 1

        before = {number: signal.signal(number, count) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def die_with(launcher: int) -> Callable[[], None]:
    """What a new child does before its program starts: ask the kernel to be killed with `launcher`.

    SIGKILL and not SIGTERM: nobody is left to insist, and everything here survives kill -9.
    """

    def ask() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died between the fork and the request
            os._exit(1)

    return ask


def in_words(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def require_free_port(host: str, port: int, what: str, variable: str = "") -> None:
    """Refuse at start, in words, what would otherwise be a traceback of some child.

    variable: the environment variable that moves `what` to another address.

    Raises:
        PortBusy: `host`:`port` cannot be listened on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as exc:
        change = f"; set {variable} to an address of this machine" if variable else ""
        raise PortBusy(f"{what} wants {host} port {port}: {exc.strerror}{change}") from exc
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's rest is no obstacle
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as exc:
            change = f"; set {variable} to listen elsewhere" if variable else ""
            raise PortBusy(f"{what} wants {host} port {port}: {exc.strerror}{change}") from exc
