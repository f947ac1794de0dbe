"""What a letter or page is about, in words that a template can branch on: what is wrong, where, seen when, and what
has been done about it. Whatever comes from a report is cut down here to what the customer may see.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from complaints.addresses import enclosing_keys, family_of
from complaints.formats.accounts import read_account
from complaints.models import Case, Complaint, HostedName, Intervention, LineIdentifier, SharedMachine
from complaints.notices.moments import Moment, moment
from complaints.vocabulary import CaseState, Category, Cause, MeasureKind

# What a letter is about: shared sentences branch on these words, and each has a page templates/portal/LANGUAGE/causes/.
THEMES = frozenset({
    "open_relay", "bot", "stolen_mailbox", "web_script", "bulk_mail", "forwarded", "attack", "content", "copyright",
    "service",
})  # fmt: skip
ABOUT_ADDRESSES = frozenset({"content", "copyright"})  # what is reported there is an address of theirs
FAMILIES: dict[str, str] = {  # of categories
    Category.LOGIN_ATTACK: "attack",
    Category.SCAN: "attack",
    Category.DDOS: "attack",
    Category.PHISHING: "content",
    Category.MALWARE: "content",
    Category.FRAUD: "content",
    Category.COPYRIGHT: "copyright",
    Category.VULNERABLE: "service",
    Category.BOT: "bot",
    Category.OPT_OUT: "bulk_mail",
}
CAUSE_FAMILIES: dict[str, str] = {Cause.HARMFUL_CONTENT: "content", Cause.VULNERABLE_SERVICE: "service"}
# These say nothing of what the customer should do; a letter in such a case, by a person's word, is the general one.
NO_THEME = frozenset({Cause.UNKNOWN, Cause.FORGED})
# These are not about mail: what a blacklist or the shape of a mail says of the cause must not choose their words.
NOT_MAIL = frozenset({Category.LOGIN_ATTACK, Category.SCAN, Category.DDOS, Category.COPYRIGHT, Category.VULNERABLE})
PLACES = {"smtp_user": "mailbox", "header": "mailbox", "domain": "site"}  # by the method of attribution
MACHINES = {"mail": "mailbox", "web": "site"}  # SharedMachine.What: the address is every customer's, and no line
MOST_EVENTS = 6
MOST_URLS = 5
LONGEST_URL = 160
UNSAFE = re.compile(r"[^\w.~:/@%+\-\[\]]")
BEGUN = (Intervention.State.IN_FORCE, Intervention.State.RELEASE_DUE, Intervention.State.RELEASING)
PLANNED = (Intervention.State.DECIDED, Intervention.State.APPLYING)


def themes(cause: str, category: str) -> list[str]:
    """Names that a letter for this case may bear, the closest first: STEP.NAME.txt; the general one is not among them.

    The last one is of THEMES, if there is any.
    """
    by_category = named(category, FAMILIES)
    if cause in NO_THEME:
        return by_category
    if category in NOT_MAIL and not (category == Category.VULNERABLE and cause == Cause.OPEN_RELAY):
        return by_category
    return named(cause, CAUSE_FAMILIES)


def named(name: str, families: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(each for each in (name, families.get(name, "")) if each))


def theme_of(cause: str, category: str) -> str:
    """The one word that shared sentences branch on; "unknown" where complaints give no cause yet."""
    name = (themes(cause, category) or [""])[-1]
    return name if name in THEMES else Cause.UNKNOWN.value


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """kind: line, mailbox or site. name: the address, the login name or the host; empty where it is not known."""

    kind: str
    name: str


def place_of(case: Case) -> Place:
    """Where an account or a site was found by its name, the address is our relay's or web server's, not theirs."""
    newest = case.complaints.order_by("-seen_at", "-pk").first()
    kind = kind_of_place(newest) if newest else "line"
    if newest is None or kind == "line":
        return Place("line", case.address_text)
    return Place(kind, login_of(newest) if kind == "mailbox" else site_of(newest))


def kind_of_place(complaint: Complaint) -> str:
    """A header may be a mail relay's or a web server's; an outside source says no more than whose it is."""
    by_method = PLACES.get(complaint.method)
    if by_method and complaint.method != "header":
        return by_method
    address = bytes(complaint.address)
    around = enclosing_keys(address, range(129 if family_of(address) == 6 else 33)) if address else []
    found = {MACHINES[what] for what in SharedMachine.objects.filter(key__in=around).values_list("what", flat=True)}
    return min(found) if found and by_method not in found else by_method or "line"


def login_of(complaint: Complaint) -> str:
    """A login that is registered for this contract: another one's is nobody's business."""
    own = LineIdentifier.objects.filter(contract=complaint.contract_id, kind=LineIdentifier.Kind.SMTP_USER)
    known = {value.casefold(): value for value in own.values_list("value", flat=True)[:1000]}
    names = [read_account(str(text)).name.casefold() for text in complaint.evidence.get("accounts", ())]
    return next((known[name][:100] for name in names if name in known), "")


def site_of(complaint: Complaint) -> str:
    """The name that is registered for this contract, of those the report mentions."""
    own = set(HostedName.objects.filter(contract=complaint.contract_id).values_list("name", flat=True)[:1000])
    for host in hosts_of(complaint):
        labels = host.split(".")
        if any(".".join(labels[start:]) in own for start in range(len(labels))):
            return host[:100]
    return ""


def hosts_of(complaint: Complaint) -> list[str]:
    found = [host_of(url) for url in complaint.evidence.get("reported_uris", ())]
    found += [str(name).lower().rstrip(".") for name in complaint.evidence.get("reported_domains", ())]
    return [host for host in found if re.fullmatch(r"[a-z0-9.-]{1,253}", host)]


def host_of(url: str) -> str:
    try:
        return (urlsplit(str(url)).hostname or "").rstrip(".")
    except ValueError:
        return ""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One thing complained about. at: UTC, to the second, as logs have it. port: the source port, or 0."""

    at: str
    address: str
    port: int


def events(case: Case) -> list[Event]:
    """The youngest ones whose time the reporter knows, each once; for the technician's own logs."""
    rows = case.complaints.filter(seen_exactly=True).exclude(address=b"").order_by("-seen_at", "-pk")[: MOST_EVENTS * 4]
    found = dict.fromkeys(Event(f"{row.seen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", row.address_text, row.port)
                          for row in rows)  # fmt: skip
    return list(found)[:MOST_EVENTS]


def urls(case: Case) -> list[str]:
    """What was reported on the customer's own site, unclickable, without query (it may name who opened it)."""
    found: dict[str, None] = {}
    for row in case.complaints.exclude(evidence__reported_uris=None).order_by("-seen_at", "-pk")[:20]:
        for url in row.evidence.get("reported_uris", ())[:MOST_URLS]:
            if shown := inert(str(url)):
                found[shown] = None
    return list(found)[:MOST_URLS]


def inert(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "ftp") or not host:
        return ""
    path = "/".join(UNSAFE.sub("", part) if "@" not in part else "…@…" for part in parts.path.split("/"))
    scheme = parts.scheme.replace("tt", "xx").replace("ftp", "fxp")
    return f"{scheme}://{host.replace('.', '[.]')}{path}"[:LONGEST_URL]


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """stage: planned (at: when it begins), in_force (since), lifting (in force since, being ended), lifted (when)."""

    kind: MeasureKind
    stage: str
    at: Moment


def measures(case: Case, language: str) -> list[Measure]:
    """The newest state of each kind: of this case, or in force on the line through another one."""
    found: dict[str, Measure] = {}
    for row in case.contract.interventions.order_by("-pk")[:50]:
        if row.kind in found or (row.case_id != case.pk and row.state not in BEGUN):
            continue
        if measure := measure_of(row, case, language):
            found[row.kind] = measure
    order = list(MeasureKind)
    return sorted(found.values(), key=lambda each: order.index(each.kind))


def measure_of(row: Intervention, case: Case, language: str) -> Measure | None:
    """None for what waits for a second person, was taken back, or did not work: it changes nothing for them."""
    kind = MeasureKind(row.kind)
    if row.state in PLANNED:
        return None if case.state == CaseState.CLOSED else Measure(kind, "planned", moment(row.due_at, language))
    since = moment(row.in_force_at or row.due_at, language)
    if row.state == Intervention.State.IN_FORCE:
        lifts = case.state == CaseState.CLOSED and row.case_id == case.pk and not still_needed(case)
        return Measure(kind, "lifting" if lifts else "in_force", since)
    if row.state in BEGUN:
        return Measure(kind, "lifting", since)
    if row.state == Intervention.State.RELEASED and row.released_at:
        return Measure(kind, "lifted", moment(row.released_at, language))
    return None


def still_needed(case: Case) -> bool:
    """Another case of the contract takes the measure over (complaints/interventions/decisions.py)."""
    others = Case.objects.filter(contract=case.contract_id, state=CaseState.ESCALATED).exclude(pk=case.pk)
    return others.exists()


@dataclasses.dataclass(frozen=True, slots=True)
class Ahead:
    """What comes by time alone. kind: escalated, person, or a kind of measure."""

    kind: str
    at: Moment


def ahead(coming: Sequence[tuple[datetime, str]], language: str) -> list[Ahead]:
    return [Ahead(kind, moment(at, language)) for at, kind in coming]
