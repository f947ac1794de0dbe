"""The embedded broker of the product, for as long as a test needs it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from abusedesk import embedded
from abusedesk.processes import die_with


@dataclasses.dataclass
class Valkey:
    data_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def broker_url(self) -> str:
        return embedded.broker_url(self.data_dir)

    @property
    def cache_url(self) -> str:
        return embedded.cache_url(self.data_dir)

    def empty(self) -> None:
        with redis.Redis.from_url(self.cache_url) as client:
            client.flushall()


@contextmanager
def valkey_server(data_dir: Path) -> Iterator[Valkey]:
    command = embedded.broker_command(data_dir)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with(os.getpid())) as process:
        try:
            embedded.wait_until_ready(data_dir)
            yield Valkey(data_dir, process)
        finally:
            process.terminate()
            process.wait()
            remove_short_directory(data_dir)


def remove_short_directory(data_dir: Path) -> None:
    """A data directory with a long name keeps its socket elsewhere, where nobody else tidies up."""
    directory = embedded.socket_path(data_dir).parent
    if directory != embedded.broker_home(data_dir):
        shutil.rmtree(directory)
