from __future__ import annotations

import pytest

from complaints.formats.addresses import addresses_in, is_public, read_address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("192.0.2.25", "192.0.2.25"),
        (" [192.0.2.25]", "192.0.2.25"),
        ("192.0.2.25 (mail.brenn.example)", "192.0.2.25"),
        ("192.0.2.25:40123", "192.0.2.25"),
        ("2001:DB8:0:0::25", "2001:db8::25"),
        ("[IPv6:2001:db8::25]", "2001:db8::25"),
        ("::ffff:192.0.2.25", "192.0.2.25"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.x", None),
        ("192.0.2.xxx", None),
        ("192.0.2.0/24", None),
        ("192.0.2.256", None),
        ("192.0.2", None),
        ("192.0.02.1", None),  # a leading zero: octal for some, decimal for others, so nobody's
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_field_value_is_read_as_one_canonical_address(value: str | None, address: str | None):
    assert read_address(value) == address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from 192.0.2.1, 192.0.2.2 and (2001:db8::7).", ["192.0.2.1", "192.0.2.2", "2001:db8::7"]),
        ("192[.]0[.]2[.]1 or 192.0.2[.]2", ["192.0.2.1", "192.0.2.2"]),
        ("http://192.0.2.3/x and ftp://192.0.2.4:2121", ["192.0.2.3", "192.0.2.4"]),
        ("*192.0.2.5*", ["192.0.2.5"]),
        ("version 1.2.3.4, OpenSSH/9.2.1.4, v10.0.0.1, firmware: 7.7.7.7", []),
        ("1.2.3.4.5 and 192.0.2.x and 192.0.2.0/24 and 192.0.2.1-192.0.2.9", []),
        ("at 12:30:45, std::string, ab:cd:ef:01:02:03", []),
        ("0.0.0.0 and 255.255.255.255", []),
    ],
)
def test_addresses_in_a_text_are_neither_versions_nor_masks(text: str, found: list[str]):
    assert [address for _, address in addresses_in(text)] == found


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.1", "172.32.0.1", "100.128.0.1", "2001:db8::1"])
def test_address_that_crosses_the_internet_is_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "172.31.9.9", "192.168.7.7", "127.0.0.1", "100.64.0.1", "fd00::1", "fe80::1", "::1"],
)
def test_private_and_shared_addresses_are_not_public(address: str):
    assert not is_public(address)
