"""The words of the desk: enums and frozen records that every part shares. Pure.

Values of the enums are stored in the database and printed by `manage.py parse`: never rename one.
Categories follow XARF v4's types where one exists; feedback types are RFC 5965's, section 7.3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any


class Disposition(StrEnum):
    """What an incoming mail is, before anybody asks whose address it names."""

    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto-reply"
    CUSTOMER_REPLY = "customer-reply"
    REPORTER_REPLY = "reporter-reply"  # to a question of ours
    PROBE = "probe"  # our own relay check's test mail, come back
    OTHER = "other"
    UNREADABLE = "unreadable"


class Category(StrEnum):
    """What the customer's line is accused of. One active case per contract and category."""

    SPAM = "spam"
    PHISHING = "phishing"
    MALWARE = "malware"
    BOT = "bot"
    LOGIN_ATTACK = "login_attack"
    SCAN = "scan"
    DDOS = "ddos"
    VULNERABLE = "vulnerable"
    COPYRIGHT = "copyright"
    FRAUD = "fraud"
    AUTH_FAILURE = "auth_failure"
    NOT_SPAM = "not_spam"
    OPT_OUT = "opt_out"
    OTHER = "other"


class Cause(StrEnum):
    """What is behind the abuse. FORWARDED and FORGED are nobody's fault: see diagnosis/."""

    OPEN_RELAY = "open_relay"
    BOT = "bot"
    STOLEN_MAILBOX = "stolen_mailbox"
    WEB_SCRIPT = "web_script"  # a form or a broken-into web site that sends
    BULK_MAIL = "bulk_mail"  # sent by the customer, on purpose
    FORWARDED = "forwarded"  # the customer's own user has mail sent on, and complains about the spam in it
    FORGED = "forged"  # our address stands only where whoever wrote the mail could put it
    HARMFUL_CONTENT = "harmful_content"  # a page or file: phishing, malware
    ATTACK = "attack"  # log-in attempts, scans, floods
    VULNERABLE_SERVICE = "vulnerable_service"
    COPYRIGHT = "copyright"
    UNKNOWN = "unknown"


class Answer(StrEnum):
    """What attribution says of one address at one time."""

    OWNER = "owner"
    NOBODY = "nobody"  # ours, but assigned to no contract then
    NOT_OURS = "not-ours"
    UNSURE = "unsure"  # several could be meant; the candidates are named


class Verdict(StrEnum):
    BAD = "bad"
    CLEAN = "clean"
    UNKNOWN = "unknown"


class CaseState(StrEnum):
    INVESTIGATING = "investigating"
    TRIAGE = "triage"
    NOTIFIED = "notified"
    ANSWERED = "answered"
    VERIFYING = "verifying"
    ESCALATED = "escalated"
    CLOSED = "closed"


class CustomerStatus(StrEnum):
    NONE = "none"
    NOTIFIED = "notified"
    SEEN = "seen"
    CLAIMS_FIXED = "claims_fixed"
    DISPUTES = "disputes"
    ASKS_HELP = "asks_help"
    ASKS_TIME = "asks_time"
    FOUND_NOTHING = "found_nothing"


class Resolution(StrEnum):
    FIXED_VERIFIED = "fixed_verified"
    FIXED_NOT_VERIFIABLE = "fixed_not_verifiable"
    NO_RESPONSE = "no_response"
    TERMINATED = "terminated"
    NOT_ABUSE = "not_abuse"
    NOT_OURS = "not_ours"
    STALE = "stale"
    MERGED = "merged"


class ContractKind(StrEnum):
    """Who holds a contract: how gently it is treated, and what may be cut."""

    RESIDENTIAL = "residential"
    BUSINESS = "business"
    RESELLER = "reseller"  # has customers, and often an abuse desk, of its own
    CRITICAL = "critical"  # a hospital, an emergency service: never cut off by a machine


class MeasureKind(StrEnum):
    """What can be done to a line. From the mildest to the last."""

    LIMIT_25 = "limit_25"  # no outgoing tcp/25 but to the provider's relay
    LOCK_ACCOUNT = "lock_account"  # one mailbox may not send
    QUARANTINE = "quarantine"  # RFC 6561 section 5.4: a walled garden
    SUSPEND = "suspend"


class EventKind(StrEnum):
    """The kinds of line in a case's history."""

    OPENED = "opened"
    COMPLAINTS = "complaints"
    MOVED = "moved"
    CHECK_QUEUED = "check_queued"
    CHECK_DONE = "check_done"
    DIAGNOSED = "diagnosed"
    NOTICE_QUEUED = "notice_queued"
    NOTICE_SENT = "notice_sent"
    NOTICE_FAILED = "notice_failed"
    NOTICE_WITHDRAWN = "notice_withdrawn"  # taken back by a person before it went
    FORWARDED = "forwarded"  # a complaint went to the customer's own abuse desk
    CUSTOMER_SAW = "customer_saw"
    CUSTOMER_ANSWERED = "customer_answered"
    NOTE = "note"
    ASSIGNED = "assigned"
    MOVED_AWAY = "moved_away"  # complaints that turned out to be another contract's
    MOVED_HERE = "moved_here"
    MERGED = "merged"  # a whole case went into another, by a person's word
    SPLIT = "split"
    LINKED = "linked"  # made a part of another case; data: ended, where that is over
    UNDONE = "undone"  # data: which of these was taken back
    KEPT = "kept"  # a correction was proposed, and dismissed
    MEASURE = "measure"  # data: what became of which measure
    TASK = "task"  # something for a human beside the case's state


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParsedComplaint:
    """One accusation read from a message; the shape `manage.py parse` prints.

    source_ip: canonical text of `ipaddress` (IPv4-mapped IPv6 written as IPv4), or None.
    arrival_date: aware, UTC. Addresses and message-ids are bare, without angle brackets.
    zone_known: False where arrival_date was read from a text that states no zone, as if it were UTC.
    off_by: seconds by which it may be off besides, as other clocks show; 0: nothing shows it.
    time_stated: False where nothing says when the deed was done; arrival_date is when the mail was written then.
    accounts: SMTP-AUTH user names in the original's Received lines and account headers. Anybody can forge them:
    they count for machines of ours alone, and are not printed.
    received: the original's Received lines, unfolded, topmost (youngest) first; evidence for
    attribution and diagnosis, not printed.
    traces: "name: value" of the original's fields that tell how it was made (formats/traces.py); not printed.
    extra: what else a structured report says, JSON values; named as in XARF v4 where that has a name for it.
    """

    category: Category = Category.SPAM
    feedback_type: str | None = None
    source_ip: str | None = None
    source_port: int | None = None
    arrival_date: datetime | None = None
    reported_domains: tuple[str, ...] = ()
    reported_uris: tuple[str, ...] = ()
    original_mail_from: str | None = None
    original_rcpt_to: tuple[str, ...] = ()
    original_message_id: str | None = None
    original_subject: str | None = None
    reporter: str | None = None
    user_agent: str | None = None
    version: str | None = None
    auth_failure: str | None = None
    delivery_result: str | None = None
    received: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()
    zone_known: bool = True
    off_by: int = 0
    time_stated: bool = True
    accounts: tuple[str, ...] = ()
    source_reason: str = ""  # in words: which field or line named source_ip
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """Everything the formats could say about one raw mail. `problem` is for a human to read."""

    format: str | None
    disposition: Disposition
    problem: str | None = None
    complaints: tuple[ParsedComplaint, ...] = ()
    subject: str | None = None
    sender: str | None = None  # bare address of the outer From
    message_id: str | None = None
    sent_at: datetime | None = None  # outer Date, aware UTC
    authenticated: str | None = None  # domain of the sender, proven by DKIM or SPF as our own mail server says


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    cause: Cause
    confidence: float  # 0..1
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckTarget:
    """What one check run is aimed at. The safety rules were asked before this exists."""

    address: str
    port: int | None = None
    nonce: str = ""  # unguessable, single use, bound to the run; the relay check signs its probes with it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What one check found. `waiting`: the verdict may still turn bad by a probe that arrives later."""

    verdict: Verdict
    reason: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # JSON: transcript, lists, …
    waiting: bool = False
