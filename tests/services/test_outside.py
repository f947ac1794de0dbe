"""The safety net itself."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.services import outside


@pytest.mark.parametrize("address", ["192.0.2.1", "192.168.1.1", "10.0.0.1"])
def test_connection_to_another_machine_is_refused(address: str):
    with socket.socket() as sock, pytest.raises(outside.OutsideConnection):
        sock.connect((address, 25))
    assert outside.attempts == [f"socket.connect {address}"]
    outside.attempts.clear()


def test_datagram_to_another_machine_is_refused():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock, pytest.raises(outside.OutsideConnection):
        sock.sendto(b"", ("2001:db8::1", 53))
    outside.attempts.clear()


def test_asyncio_is_refused_too():
    with pytest.raises(outside.OutsideConnection):
        asyncio.run(asyncio.open_connection("192.0.2.1", 25))
    outside.attempts.clear()


def test_looking_up_a_name_is_refused():
    with pytest.raises(outside.OutsideConnection):
        socket.getaddrinfo("mail.example", 25)
    outside.attempts.clear()


def test_loopback_is_free_to_use():
    for family, address in ((socket.AF_INET, "127.0.0.9"), (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
            receiver.bind((address, 0))
            sender.sendto(b"hello", receiver.getsockname())
            assert receiver.recv(16) == b"hello"
