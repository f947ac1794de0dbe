"""What breaks the schema of XARF v3, in sentences: a table of rules, as no schema of v3 is shipped with anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .addresses import read_address
from .dates import read_mail_date
from .json_documents import dict_of, list_of

MOST = 10
VERSIONS: Final = ("1", "2", "3", "3.0", "3.0.0")
ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?")

Rule = tuple[str, bool, Callable[[Any], bool], str]  # path, required, what it must be, in words


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_mail_address(value: Any) -> bool:
    return isinstance(value, str) and ADDRESS.fullmatch(value) is not None


def is_host(value: Any) -> bool:
    return isinstance(value, str) and HOST.fullmatch(value) is not None


def is_date(value: Any) -> bool:
    return isinstance(value, str) and read_mail_date(value) is not None


def is_ip(value: Any) -> bool:
    return isinstance(value, str) and read_address(value) is not None


def is_port(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 65536


RULES: Final[tuple[Rule, ...]] = (
    ("Version", False, lambda value: value in VERSIONS, f"one of {', '.join(VERSIONS)}"),
    ("ReporterInfo", True, lambda value: isinstance(value, dict), "an object"),
    ("ReporterInfo.ReporterOrg", True, is_text, "a text"),
    ("ReporterInfo.ReporterOrgDomain", True, is_host, "a host name"),
    ("ReporterInfo.ReporterOrgEmail", True, is_mail_address, "a mail address"),
    ("ReporterInfo.ReporterContactEmail", False, is_mail_address, "a mail address"),
    ("Report", True, lambda value: isinstance(value, dict), "an object"),
    ("Report.ReportType", True, is_text, "a text"),
    ("Report.Date", True, is_date, "a date"),
    ("Report.FirstSeen", False, is_date, "a date"),
    ("Report.LastSeen", False, is_date, "a date"),
    ("Report.SourceIp", False, is_ip, "an address"),
    ("Report.SourcePort", False, is_port, "a port"),
    ("Report.DestinationIp", False, is_ip, "an address"),
    ("Report.DestinationPort", False, is_port, "a port"),
    ("Report.SmtpMailFromAddress", False, is_mail_address, "a mail address"),
    ("Report.SmtpRcptToAddress", False, is_mail_address, "a mail address"),
    ("Report.RpzDomain", False, is_host, "a host name"),
    ("Report.Samples", False, lambda value: isinstance(value, list), "a list"),
)


def breaches(document: Mapping[str, Any]) -> list[str]:
    """Each as `path: what is wrong`, the first few."""
    found: list[str] = []
    for path, required, is_right, words in RULES:
        parent, _, name = path.rpartition(".")
        holder = document.get(parent) if parent else document
        if not isinstance(holder, Mapping):
            continue  # its own rule says so
        if holder.get(name) is None:
            found += [f"{path}: missing"] if required else []
        elif not is_right(holder[name]):
            found.append(f"{path}: {shown(holder[name])} is not {words}")
    report = dict_of(document.get("Report"))
    for number, sample in enumerate(list_of(report.get("Samples"))[:MOST]):
        flag = dict_of(sample).get("Base64Encoded", False)
        if not isinstance(flag, bool):
            found.append(f"Report.Samples.{number}.Base64Encoded: {shown(flag)} is not true or false")
    for name, value in list(dict_of(report.get("Custom")).items())[:100]:
        if isinstance(value, dict | list):
            found.append(f"Report.Custom.{name[:40]}: {shown(value)} is not one value")
    return found[:MOST]


def shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 60 else text[:59] + "…"
