"""JSON, YAML, XML, CSV and ZIP made to hurt: answered within two seconds, in bounded memory, never by an exception."""

from __future__ import annotations

import base64
import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.cases.accusations import evidence_of
from complaints.formats import read_message
from complaints.vocabulary import Disposition
from tests.formats.test_hostile_input import crashed, read_in_time

MOST_MEMORY = 200 * 2**20  # above the input

V4 = {
    "xarf_version": "4.2.0",
    "report_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "timestamp": "2026-03-03T08:59:41Z",
    "reporter": {"org": "R", "contact": "r@reporter.example", "domain": "reporter.example"},
    "sender": {"org": "R", "contact": "r@reporter.example", "domain": "reporter.example"},
    "source_identifier": "192.0.2.25",
    "source_port": 25,
    "category": "messaging",
    "type": "spam",
    "protocol": "smtp",
    "smtp_from": "win@lotterie.example",
}
X_ARF = (
    b"From: r@reporter.example\nSubject: abuse report\nX-ARF: yes\n\n---\nReported-From: r@reporter.example\n"
    b"Category: abuse\nReport-Type: login-attack\nSource-Type: ip-address\nSource: 192.0.2.25\n"
    b"Date: Tue, 03 Mar 2026 08:59:41 +0000\nVersion: 0.2\n"
)


EVENTS = b'"timestamp","ip","port"\n"2026-03-03 08:59:41","192.0.2.25",53\n'


ARF = (
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
    b"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: %s\n\n"
    b"--b\nContent-Type: message/rfc822\n\nReceived: from %s\nSubject: x\n\nx\n--b--\n"
)


def cells() -> bytes:
    row = b"2026-03-03 08:59:41,192.0.2.25," + b"%d," * 300
    return b"".join(row % tuple(range(i, i + 300)) + b"\n" for i in range(700))


def v4(**changes: object) -> bytes:
    return json.dumps(V4 | changes).encode()


def raw_v4(name: str, value: bytes) -> bytes:
    """A value that json.dumps would not write."""
    return v4()[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


def mail_with(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    head = (
        "From: r@reporter.example\nSubject: events\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n'
        f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n'
    )
    return head.encode() + base64.encodebytes(content) + b"\n--b--\n"


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def zip_bomb(content: bytes, *, times: int = 200, claims: int = 10) -> bytes:
    """One member of `times` the content, whose directory claims to be of few bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(EVENTS) + b"".join(packer.compress(content) for _ in range(times)) + packer.flush()
    name = b"scan_dns.csv"
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(data), claims, len(name), 0)
    local = b"PK\x03\x04" + fields + name
    central = b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return local + data + central + end


YAML_BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
ENTITY_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE Infringement [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]><Infringement><Source><IP_Address>&m;</IP_Address></Source></Infringement>"
)
XML_MAIL = b"From: r@reporter.example\nSubject: notice\nContent-Type: text/xml\n\n"

HOSTILE: dict[str, Callable[[], bytes]] = {  # made when they are read: megabytes, and packing bombs takes seconds
    "JSON nested 10,000 deep": lambda: b"[" * 10_000 + b"]" * 10_000,
    "JSON of 8 MB of brackets": lambda: b"[" * 8_000_000,
    "JSON objects nested 10,000 deep": lambda: b'{"xarf_version":' * 10_000 + b"1" + b"}" * 10_000,
    "a report with a field nested 10,000 deep": lambda: raw_v4("tags", b"[" * 10_000 + b"]" * 10_000),
    "a report with a field nested 900 deep": lambda: raw_v4("tags", b"[" * 900 + b"]" * 900),
    "a report with a field nested 40 deep": lambda: raw_v4("tags", b"[" * 40 + b"]" * 40),
    "a number of 100,000 digits": lambda: raw_v4("source_port", b"9" * 100_000),
    "a number beyond all floats": lambda: raw_v4("confidence", b"1e99999"),
    "NaN and infinities": lambda: raw_v4("confidence", b"NaN")
    + raw_v4("risk", b"-Infinity") + raw_v4("x", b"Infinity"),
    "lone surrogates": lambda: raw_v4("subject", b'"\\ud800 \\udfff"'),
    "fields of every wrong type": lambda: v4(**{name: [{"a": [None, True, 1.5]}] for name in list(V4)[1:]}),
    "every field null": lambda: v4(**dict.fromkeys(list(V4)[1:])),
    "every field a number": lambda: v4(**dict.fromkeys(V4, 7)),
    "100,000 unknown fields": lambda: v4(**{f"field{i}": i for i in range(100_000)}),
    "100,000 tags": lambda: v4(tags=["a b c"] * 100_000),
    "100,000 pieces of evidence": lambda: v4(evidence=[{"content_type": "message/rfc822", "payload": "%"}] * 100_000),
    "evidence of 5 MB": lambda: v4(evidence=[{"content_type": "message/rfc822", "payload": "UmVj" * 1_250_000}]),
    "a URL that is none": lambda: v4(url="http://[::1", source_identifier="http://[broken]:x/"),
    "a URL of 2 MB": lambda: v4(source_identifier="http://" + "a." * 1_000_000),
    "a domain of 2 MB": lambda: v4(source_identifier="a." * 1_000_000 + "-"),
    "200,000 reports in one list": lambda: b"[" + b",".join([b'{"xarf_version":"4.2.0"}'] * 200_000) + b"]",
    "1,500 whole reports in a row": lambda: v4() * 1_500,
    "a million empty lists": lambda: b"[] " * 1_000_000,
    "a million opened objects": lambda: b'\n{"xarf_version": ' * 400_000,
    "v3 of the wrong types": lambda: json.dumps({"Version": 3, "ReporterInfo": [], "Report": "x"}).encode(),
    "v3 with wrong fields": lambda: json.dumps(
        {"ReporterInfo": {"ReporterOrg": {}}, "Report": {"Source": [], "Samples": [[], {}, 5], "Date": 5}}
    ).encode(),
    "YAML bomb beside the report": lambda: X_ARF + YAML_BOMB,
    "YAML nested 8,000 deep": lambda: X_ARF + b"x: " + b"[" * 8_000,
    "YAML of 10,000 reports": lambda: X_ARF.replace(b"\n\n---", b"\n\n")
    + (b"---\n" + X_ARF.partition(b"---\n")[2]) * 10_000,
    "YAML tags": lambda: X_ARF + b"x: !!python/object/apply:os.system [date]\n",
    "YAML lists in lists": lambda: X_ARF + b"x: &a " + b"- " * 4_000,
    "YAML of one long line": lambda: X_ARF + b"x: " + b"a: " * 1_000_000,
    "XML entity bomb": lambda: XML_MAIL + ENTITY_BOMB,
    "XML entity in the middle": lambda: XML_MAIL + b"<Infringement><!DOCTYPE a [<!ENTITY b 'c'>]>&b;</Infringement>",
    "XML with an external entity": lambda: XML_MAIL + b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    b"<Infringement><Source><IP_Address>&b;</IP_Address></Source></Infringement>",
    "XML nested 100,000 deep": lambda: XML_MAIL + b"<Infringement>" + b"<a>" * 100_000,
    "300,000 opened notices": lambda: XML_MAIL + b"<Infringement>" * 300_000,
    "50,000 closed notices": lambda: XML_MAIL + b"<Infringement></Infringement>" * 50_000,
    "XML of 200,000 attributes": lambda: XML_MAIL
    + b"<notification_message "
    + b"".join(b'a%d="b" ' % i for i in range(200_000)),
    "XML text of 8 MB": lambda: XML_MAIL + b"<Infringement><Source>" + b"&amp;" * 1_500_000,
    "30,000 Safe Browsing entries": lambda: XML_MAIL + b'<notification_message date="x"><list type="9">'
    + b'<url_info url="http://[" ip="192.0.2.300"/>' * 30_000,
    "CSV of 100,000 columns": lambda: mail_with(
        "a.csv", b",".join([b"timestamp,ip"] * 50_000) + b"\n" + EVENTS, "text/csv"
    ),
    "CSV of 100,000 rows": lambda: mail_with("a.csv", EVENTS + EVENTS.partition(b"\n")[2] * 100_000, "text/csv"),
    "CSV cell of 5 MB": lambda: mail_with("a.csv", EVENTS + b'"' + b"x" * 5_000_000 + b'"', "text/csv"),
    "CSV quote that never closes": lambda: mail_with("a.csv", EVENTS + b'"' + b"x\n" * 50_000, "text/csv"),
    "CSV with NUL bytes": lambda: mail_with("a.csv", EVENTS.replace(b"53", b"\0\0"), "text/csv"),
    "CSV of delimiters alone": lambda: mail_with("a.csv", b"," * 3_000_000, "text/csv"),
    "300 CSV files": lambda: mail_with("a.zip", zipped(*((f"{i}.csv", EVENTS) for i in range(300)))),
    "ZIP of 20,000 members": lambda: mail_with("a.zip", zipped(*((f"{i}.csv", b"") for i in range(20_000)))),
    "ZIP bomb": lambda: mail_with("a.zip", zip_bomb(b"\n" * 2**20, claims=2**28)),
    "ZIP bomb of rows": lambda: mail_with("a.zip", zip_bomb(EVENTS.partition(b"\n")[2] * 30_000, claims=2**28)),
    "ZIP that lies about its size": lambda: mail_with("a.zip", zip_bomb(b"x,y\n" * 2**18)),
    "ZIP cut in the middle": lambda: mail_with("a.zip", zipped(("a.csv", EVENTS * 1_000))[:200]),
    "ZIP in ZIP": lambda: mail_with("a.zip", zipped(("a.csv.zip", zipped(("a.csv", EVENTS))))),
    "CSV of many small cells": lambda: mail_with(
        "a.zip", zipped(("a.csv", b"timestamp,ip," + b"%d," * 300 % tuple(range(300)) + b"\n" + cells() * 12))
    ),
    "JSON of a million objects": lambda: b"[" + b'{"":1},' * 1_000_000 + b"1]",
    "XML of long names in each other": lambda: XML_MAIL
    + b"<Infringement>" + b"<%s>" % (b"n" * 9_000) * 30 + b"<a/>" * 60_000,
    "YAML of blanks": lambda: X_ARF + b"abc: " + b" " * 200_000 + b"x",
    "a report name of dashes": lambda: mail_with("a.zip", zipped(("a-" * 30_000 + "\n.csv", EVENTS))),
    "a From of blanks": lambda: b"From: <" + b" " * 7_900 + b"x\nSubject: spam from 192.0.2.25\n\nspam\n",
    "Original-Rcpt-To without an end": lambda: ARF % (b"a" * 7_900 + b" @", b"x"),
    "Received of dots": lambda: ARF % (b"r@mailhaus.example", b"a." * 990),
    "ZIP mark and nothing else": lambda: mail_with("a.zip", b"PK\x03\x04" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_structure_is_answered_in_time(name: str):
    assert not crashed(read_in_time(HOSTILE[name]()))


@pytest.mark.parametrize(
    "name",
    [
        "ZIP bomb",
        "ZIP bomb of rows",
        "CSV of many small cells",
        "JSON of a million objects",
        "XML of long names in each other",
        "100,000 pieces of evidence",
        "XML entity bomb",
    ],
)
def test_hostile_structure_takes_bounded_memory(name: str):
    raw = HOSTILE[name]()
    tracemalloc.start()
    try:
        read_message(raw)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(list(V4.values())),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=8,
)
FIELDS = {
    "xarf4": [*V4, "url", "domain", "evidence", "message_id", "smtp_to", "tags", "_internal", "_absent"],
    "xarf3": ["Version", "ReporterInfo", "Report", "Disclosure"],
    "ses": ["notificationType", "complaint", "mail", "Type", "Message"],
    "report": ["SourceIp", "SourcePort", "Source", "Date", "ReportType", "Samples", "Custom", "SourceUrl"],
    "mail": ["timestamp", "source", "sourceIp", "headers", "commonHeaders", "complainedRecipients", "userAgent"],
}


def some(name: str) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(FIELDS[name]), VALUES, max_size=6)


def nested_in(*names: str, of: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({name: some(of) for name in names})


DOCUMENTS = (
    st.builds(lambda changes: V4 | changes, some("xarf4"))
    | st.builds(
        lambda outer, inner: {"ReporterInfo": {}} | inner | outer, some("xarf3"), nested_in("Report", of="report")
    )
    | st.builds(
        lambda outer, inner: {"notificationType": "Complaint"} | inner | outer,
        some("ses"),
        nested_in("complaint", "mail", of="mail"),
    )
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_any_value_in_any_field_is_answered_and_can_be_stored(document: dict[str, object]):
    found = read_message(json.dumps(document).encode())

    assert not crashed(found)
    for complaint in found.complaints:
        json.dumps(evidence_of(complaint), allow_nan=False)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.sampled_from(["timestamp", "ip", "192.0.2.25", '"', ",", ";", "\t", "-", "\r\n", "url"]))))
def test_any_table_is_answered(rows: list[list[str]]):
    table = "timestamp,ip\n" + "\n".join(",".join(cells) for cells in rows)

    assert not crashed(read_message(mail_with("a.csv", table.encode(), "text/csv")))


def test_path_in_an_archive_is_only_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("../../etc/cron.d/scan_dns.csv", "/tmp/scan_ntp.csv", "..\\..\\scan_ssl.csv")

    found = read_message(mail_with("report.zip", zipped(*((name, EVENTS) for name in names))))

    assert [complaint.source_ip for complaint in found.complaints] == ["192.0.2.25"] * 3
    assert list(tmp_path.iterdir()) == []


def test_infinite_number_becomes_text_that_any_database_takes():
    found = read_message(HOSTILE["a number beyond all floats"]())

    assert found.complaints[0].extra["confidence"] == "1e99999"
    assert json.loads(json.dumps(dict(found.complaints[0].extra), allow_nan=False))


def test_what_is_too_deep_is_said():
    found = read_message(HOSTILE["a report with a field nested 900 deep"]())

    assert found.format == "freetext"  # what can be read is still read: the address stands in the text
    assert [complaint.source_ip for complaint in found.complaints] == ["192.0.2.25"]
    assert found.problem in ("JSON: nested deeper than 50", "JSON: nested too deep")


def test_entity_is_never_unfolded():
    found = read_message(HOSTILE["XML entity bomb"]())

    assert found.disposition is Disposition.UNREADABLE
    assert found.problem == "ACNS XML: undefined entity: line 1, column 34"


def test_rows_beyond_the_limit_are_told():
    found = read_message(HOSTILE["CSV of 100,000 rows"]())

    assert len(found.complaints) == 20_000
    assert found.problem == "a.csv: only the first 20000 rows were read"
