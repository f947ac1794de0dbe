"""JSON that a mail carries: bare, as its text, or attached; one document, a list of them, or several in a row.

Read once and kept on the mail. Text after a document (a signature, an unsubscribe line) is left alone. NaN and Infinity
are no JSON (RFC 8259 section 6), and databases refuse them: they become text. Depth and number are bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from .header_text import decode
from .mail import Mail

MOST_DOCUMENTS = 1_000
MOST_DEPTH = 50
MOST_VALUES = 400_000  # commas and brackets; each may take a quarter of a kilobyte of memory
MOST_STARTS = 50  # places in a text that look like the beginning of a document
REPORTS_ON_SENDING = ("delivery-status", "disposition-notification")  # RFC 6522: what they quote accuses nobody

BEGINS = re.compile(r"^[ \t]*(?=[{\[])", re.M)
BEGINS_LINE = re.compile(rb"^[ \t]*[{\[]", re.M)
BETWEEN = re.compile(r"[\s,;\x1e]*")  # the record separator of RFC 7464, and what people put between documents
REPORT_MARKS = re.compile(r'"(?:xarf_version|ReporterInfo|notificationType|eventType)"\s*:')
BROKEN_LINE = re.compile(r"!\n[ \t]+")  # sendmail's mark where it broke a line that was too long


def number(text: str) -> float | str:
    value = float(text)
    return value if value - value == 0 else text  # not finite


STRICT: Final = json.JSONDecoder(parse_constant=str, parse_float=number)
PATIENT: Final = json.JSONDecoder(parse_constant=str, parse_float=number, strict=False)  # raw line ends inside a text


def may_hold_json(mail: Mail) -> bool:
    """Cheap: asked of every mail, before anything is decoded."""
    if mail.data[:1] in (b"{", b"["):
        return True
    if mail.content_type.startswith("multipart/"):  # in the Content-Type or the name of a part
        return b"json" in mail.data or b"JSON" in mail.data
    return BEGINS_LINE.search(mail.data, mail.body_at) is not None or b"json" in mail.content_type.encode()


def documents(mail: Mail) -> list[dict[str, Any]]:
    """Every JSON object of the mail, lists taken apart; problems are told to the mail."""
    if mail.json_documents is None:
        mail.json_documents = []
        if may_hold_json(mail) and mail.report_type not in REPORTS_ON_SENDING:
            mail.json_documents = read_documents(mail)
    return mail.json_documents


def read_documents(mail: Mail) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in mail.parts:
        if part.content_type.startswith(("application/", "text/", "message/feedback-report")):
            content = part.payload
            if b"{" in content:
                text = decode(content.removeprefix(b"\xef\xbb\xbf"))
                if sum(map(text.count, ",[{")) > MOST_VALUES:
                    mail.problems.append(f"JSON: more than {MOST_VALUES} values")
                    continue
                found += islice(documents_in(text, mail), MOST_DOCUMENTS + 1)
        if len(found) > MOST_DOCUMENTS:
            mail.problems.append(f"JSON: only the first {MOST_DOCUMENTS} documents were read")
            return found[:MOST_DOCUMENTS]
    return found


def documents_in(text: str, mail: Mail) -> Iterator[dict[str, Any]]:
    at = 0
    for _ in range(MOST_STARTS):
        begins = BEGINS.search(text, at)
        if begins is None:
            return
        value, at = read_at(text, begins.end(), mail)
        for _ in range(2 * MOST_DOCUMENTS):
            if value is None:
                break
            yield from taken_apart(value)
            at = BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # matches everywhere, if only nothing
            if text[at : at + 1] not in ("{", "["):
                break
            value, at = read_at(text, at, mail)


def read_at(text: str, place: int, mail: Mail) -> tuple[Any, int]:
    """→ (value or None, where to go on)."""
    mended = BROKEN_LINE.sub("", text[place:]) if "!\n" in text else ""
    problem = ""
    for decoder, source, begin in ((STRICT, text, place), (PATIENT, mended or text, 0 if mended else place)):
        try:
            value, end = decoder.raw_decode(source, begin)
        except RecursionError:
            mail.problems.append("JSON: nested too deep")
            return None, len(text)
        except ValueError as exc:  # JSONDecodeError, or a number of more digits than Python converts
            problem = problem or f"JSON: {exc}"[:200]
            continue
        if too_deep(value):
            mail.problems.append(f"JSON: nested deeper than {MOST_DEPTH}")
            return None, len(text)
        return value, end if source is text else len(text)
    if REPORT_MARKS.search(text):  # anything else in braces is prose, or no business of ours
        mail.problems.append(problem)
    return None, place + 1


def too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [item for each in level if isinstance(each, dict | list) for item in children(each)]
        if not level:
            return False
    return True


def children(value: dict[str, Any] | list[Any]) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value
    return [item for item in inside if isinstance(item, dict | list)]


def taken_apart(value: Any) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def text_of(value: Any) -> str | None:
    """A string, stripped; None for anything else and for the empty one. Lone surrogates ("\\ud800") are no text."""
    if not isinstance(value, str):
        return None
    return (value if value.isascii() else value.encode("utf-8", "replace").decode()).strip() or None


def dict_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def port_of(value: Any) -> int | None:
    """1 to 65535, also written as text; port 0 is nobody's."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None


def sorted_out(fields: Mapping[str, Any], v4_names: Mapping[str, str], rest: str) -> dict[str, Any]:
    """`extra` of a complaint: what XARF v4 has a name for under that name, ports as numbers; the rest together."""
    named = {v4_names[name]: value for name, value in fields.items() if name in v4_names and value}
    if "destination_port" in named and (port := port_of(named.pop("destination_port"))):
        named["destination_port"] = port
    others = {name: value for name, value in fields.items() if name not in v4_names and value}
    return {**named, **({rest: others} if others else {})}
