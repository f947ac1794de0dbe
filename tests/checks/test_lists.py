from __future__ import annotations

import textwrap
from ipaddress import IPv4Address

import pytest

from complaints.checks import BadCatalogue, load_lists

GOOD = """
lists:
  - name: example
    zone: bl.example.org
    families: [ipv4]
    codes:
      127.0.0.2-3: {meaning: trap hit, cause: [spam-source, bot]}
      127.0.1.*: {meaning: dynamic range, cause: policy}
    errors: {127.0.0.255: too many questions}
    enabled: true
    source: https://bl.example.org/
"""


def load(tmp_path, text):
    path = tmp_path / "lists.yaml"
    path.write_text(textwrap.dedent(text))
    return load_lists(path)


def test_shipped_catalogue_loads():
    lists = load_lists()
    assert len(lists) == 24
    assert {each.name for each in lists if not each.enabled} == {
        "abusix",  # wants a key
        "barracuda",  # wants registration
        "dnswl",  # a good word only
        "senderscore",  # wants registration
        "truncate",  # perhaps dead
        "uceprotect-2",  # neighbours
        "uceprotect-3",  # neighbours
    }


def test_zones_that_died_are_not_in_the_shipped_catalogue():
    dead = ("sorbs.net", "manitu.net", "cbl.abuseat.org", "wpbl.info", "unsubscore.com", "inps.de", "megarbl.net")
    assert [each.name for each in load_lists() if each.zone.endswith(dead)] == []


def test_codes_are_ranges_with_meaning_and_causes(tmp_path):
    (each,) = load(tmp_path, GOOD)
    assert [(code.first, code.last, code.meaning, code.causes) for code in each.codes] == [
        (IPv4Address("127.0.0.2"), IPv4Address("127.0.0.3"), "trap hit", ("spam-source", "bot")),
        (IPv4Address("127.0.1.0"), IPv4Address("127.0.1.255"), "dynamic range", ("policy",)),
    ]


def test_ipv6_zone_of_its_own_is_asked_for_ipv6(tmp_path):
    (each,) = load(tmp_path, GOOD.replace("[ipv4]", "[ipv4, ipv6]\n    zone6: bl6.example.org"))
    assert (each.zone_for(4), each.zone_for(6)) == ("bl.example.org", "bl6.example.org")


def test_list_of_ipv4_alone_has_no_zone_for_ipv6(tmp_path):
    (each,) = load(tmp_path, GOOD)
    assert each.zone_for(6) is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("zone: bl.example.org", "", "entry 1 (example): missing: zone"),
        ("enabled: true", "enabled: true\n    colour: red", "entry 1 (example): not known: colour"),
        ("enabled: true", "enabled: yes please", "entry 1 (example): enabled: true or false is wanted"),
        ("enabled: true", "enabled: true\n    weight: 2", "entry 1 (example): weight: a number from 0 to 1"),
        ("bl.example.org\n", "bl..example\n", "entry 1 (example): zone: 'bl..example' is no domain name"),
        ("bl.example.org\n", "org\n", "entry 1 (example): zone: 'org' is no zone below a top-level domain"),
        ("[ipv4]", "[ipv5]", "entry 1 (example): families: a list of ipv4, ipv6 is wanted"),
        ("127.0.1.*", "128.0.1.1", "entry 1 (example): codes: 128.0.1.1: 127.x.y.z"),
        ("127.0.1.*", "127.0.0.9-3", "entry 1 (example): codes: 127.0.0.9-3: the range runs backwards"),
        ("127.0.1.*", "127.0.0.300", "entry 1 (example): codes: 127.0.0.300: Octet 300"),
        ("cause: policy", "cause: weather", "entry 1 (example): codes: 127.0.1.*: cause: 'weather' is none of"),
        (", cause: policy", "", "entry 1 (example): codes: 127.0.1.*: {meaning, cause} is wanted"),
        ("too many questions", "[1]", "entry 1 (example): errors: 127.0.0.255: text is wanted"),
        ("name: example", "name: 7", "entry 1 (7): name: small letters, digits and - are wanted, 40 at most, got 7"),
        ("lists:", "list:", "no `lists:` with entries"),
        ("lists:", "lists: [", "cannot be read"),
    ],
)
def test_mistake_in_the_catalogue_is_named(tmp_path, old, new, complaint):
    with pytest.raises(BadCatalogue) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert str(caught.value).startswith("lists.yaml: ")
    assert complaint in str(caught.value)


def test_list_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(BadCatalogue, match="name 'example' is there twice"):
        load(tmp_path, GOOD + GOOD.replace("lists:", ""))


def test_catalogue_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadCatalogue, match=r"nowhere\.yaml: cannot be read"):
        load_lists(tmp_path / "nowhere.yaml")
