"""The rows that script/letters writes its letters from: one case for each situation that has words of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from complaints.models import Brand, Case, HostedName, Intervention, LineIdentifier, Notice
from complaints.notices import acknowledging, by_hand, customer_post
from complaints.notices.about import MACHINES
from complaints.notices.reporter_letter import LetterFor, write_letter
from complaints.notices.senders import Sender, as_sender
from complaints.vocabulary import CaseState, Category, Cause, Resolution
from tests.factories import NOON, make_complaint, make_shared_machine
from tests.notices.rows import make_proof, make_relay_case, make_run, queued

DAY = timedelta(days=1)
SOFT = [(NOON + DAY, "escalated"), (NOON + DAY, "person")]
HARD = [(NOON + DAY, "escalated"), (NOON + DAY, "limit_25"), (NOON + 8 * DAY, "quarantine")]
ACCOUNT = [(NOON + DAY, "escalated"), (NOON + DAY, "lock_account")]
LAST = [(NOON + timedelta(minutes=30), "quarantine"), (NOON + 7 * DAY, "suspend")]
METHODS = {"mailbox": "smtp_user", "site": "domain", "line": "static"}
Make = Callable[..., EmailMessage]
WORDS = {
    "en": "Thank you for the call. Please send us the log of your mail server from Tuesday morning.",
    "de": "Danke für das Gespräch. Bitte schicken Sie uns das Protokoll Ihres Mailservers von Dienstagvormittag.",
    "fr": "Merci pour votre appel. Merci de nous envoyer le journal de votre serveur de messagerie de mardi matin.",
}


def letters() -> Iterator[tuple[str, Make, Mapping[str, Any]]]:
    """(name, function, its arguments beside the language)"""
    for cause in Cause:
        yield f"notify-{cause}", letter, {"step": "notify", "cause": cause, "coming": HARD}
    for category in Category:
        if category not in (Category.SPAM, Category.NOT_SPAM):
            yield f"notify-of-{category}", letter, {"step": "notify", "category": category, "coming": SOFT}
    mailbox = {"cause": Cause.STOLEN_MAILBOX, "place": "mailbox", "coming": ACCOUNT}
    site = {"cause": Cause.WEB_SCRIPT, "place": "site", "coming": SOFT}
    relay = {"cause": Cause.OPEN_RELAY, "coming": HARD}
    for name, case in (("relay", relay), ("mailbox", mailbox), ("site", site)):
        for step in ("notify", "remind", "still_open", "more_time", "look_again", "escalated", "solved", "quiet"):
            yield f"{step}-{name}", letter, {"step": step, **case}
    yield "remind-claimed", letter, {"step": "remind", "claimed": True, **relay}
    yield "still_open-complaints", letter, {"step": "still_open", "cause": Cause.BOT, "claimed": True, "coming": HARD}
    yield "escalated-in_force", letter, {"step": "escalated", "cause": Cause.BOT, "measure": "limit_25", "coming": LAST}
    yield "escalated-last", letter, {"step": "escalated", "cause": Cause.BOT, "coming": LAST}
    yield "solved-lifted", letter, {"step": "solved", "cause": Cause.BOT, "measure": "limit_25"}
    yield "solved-mailbox-lifted", letter, {"step": "solved", "measure": "lock_account", **mailbox}
    yield "withdrawn", letter, {"step": "withdrawn", "told_at": NOON - DAY}
    yield "withdrawn-mailbox", letter, {"step": "withdrawn", "told_at": NOON - DAY, **mailbox}
    yield "message", own_words, {}
    yield "digest", digest, {}
    yield "brand", letter, {"step": "notify", "brand": True, **relay}
    for kind in ("acknowledged", "ask_missing", "not_ours", "forwarded", "too_old", "fixed", "closed", "message"):
        yield f"reporter-{kind}", to_reporter, {"kind": kind}


def letter(language: str, step: str, **situation: Any) -> EmailMessage:
    extra = {key: situation.pop(key) for key in ("coming", "told_at") if key in situation}
    return sent([queued(case_of(language, step, **situation), step, **extra)])


def case_of(
    language: str, step: str, *, category: Category = Category.SPAM, cause: Cause = Cause.UNKNOWN, place: str = "line",
    claimed: bool = False, measure: str = "", brand: bool = False,
) -> Case:  # fmt: skip
    state = CaseState.ESCALATED if step == "escalated" else CaseState.NOTIFIED
    case = make_relay_case(category=category, cause=cause, state=state)
    case.owner |= {"language": language, "brand": "nord" if brand else ""}
    if brand:
        make_brand()
    if claimed or step == "still_open":
        case.fixed_claimed_at = NOON - timedelta(hours=5)
    if cause == Cause.OPEN_RELAY:
        make_proof(case, at=NOON - timedelta(hours=3))
    make_run(case, "dnsbl", verdict="bad")
    make_complaints(case, place)
    if measure:
        make_measure(case, measure)
    if step == "solved":
        case.state, case.closed_at, case.resolution = CaseState.CLOSED, NOON, Resolution.FIXED_VERIFIED
    case.save()
    return case


def make_complaints(case: Case, place: str) -> None:
    if place != "line":
        make_shared_machine("192.0.2.25/32", next(what for what, kind in MACHINES.items() if kind == place))
        LineIdentifier.objects.create(contract=case.contract, kind="smtp_user", value="anna@brenn.example")
        HostedName.objects.create(contract=case.contract, name="brenn.example")
    evidence = {"accounts": ["anna@brenn.example"], "reported_uris": ["https://shop.brenn.example/wp/bank/login.php"]}
    for hours in (2, 3, 30):
        make_complaint(
            case, address="192.0.2.25", seen_at=NOON - timedelta(hours=hours, seconds=17), seen_exactly=True,
            method=METHODS[place], port=51000 + hours, evidence=evidence,
        )  # fmt: skip


def make_measure(case: Case, kind: str) -> None:
    Intervention.objects.create(
        case=case, contract=case.contract, kind=kind, step="x", state="in_force", reason="x", decided_by="machine",
        decided_at=NOON - DAY, due_at=NOON - DAY, in_force_at=NOON - DAY,
    )  # fmt: skip


def make_brand() -> Brand:
    return Brand.objects.create(
        name="nord", title="Nordnetz", email="abuse@nordnetz.example", phone="+49 40 5550100", colour="#7a1f3d",
        signature="Nordnetz GmbH, Hafenstraße 1, 24103 Kiel\nAmtsgericht Kiel, HRB 12345",
    )  # fmt: skip


def own_words(language: str) -> EmailMessage:
    case = case_of(language, "message", cause=Cause.OPEN_RELAY)
    notice = by_hand.write_to_customer(case, WORDS[language], number=1, actor="ada", now=NOON)
    assert notice is not None
    return sent([notice])


def digest(language: str) -> EmailMessage:
    first = case_of(language, "notify", cause=Cause.BOT)
    second = case_of(language, "remind", category=Category.PHISHING)
    third = case_of(language, "solved", category=Category.SCAN)
    told = zip((first, second, third), ("notify", "remind", "solved"), strict=True)
    return sent([queued(case, step, coming=SOFT) for case, step in told])


def sent(notices: Sequence[Notice]) -> EmailMessage:
    return parsed(customer_post.mail_of(notices, now=NOON).message().as_bytes())


def parsed(raw: bytes) -> EmailMessage:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def to_reporter(language: str, kind: str) -> EmailMessage:
    case = case_of(language, "notify")
    facts = acknowledging.facts_of_report(list(case.complaints.order_by("pk")))
    missing = {"missing": ["port"] if kind == "ask_missing" else []}
    there = {"contact": "abuse@else.example", "network": "Else Net"} if kind == "not_ours" else {}
    lines = [line | missing | there for line in facts["complaints"]]
    more = {"outcome": True, "has_contact": True, "words": WORDS[language]}
    about = LetterFor(
        kind=kind, language=language, by_machine=kind != "message", subject="Spam from your network",
        sent=date_of(NOON - DAY), message_id="<1.lena@studio-hoff.example>", facts=facts | more | {"complaints": lines},
    )  # fmt: skip
    written, sender = write_letter(about), as_sender(None)
    return plain(written.subject, written.text, sender)


def date_of(at: datetime) -> str:
    return f"{at:%a, %d %b %Y %H:%M:%S} +0000"


def plain(subject: str, text: str, sender: Sender) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, sender.header, "lena@studio-hoff.example"
    mail.set_content(text)
    return mail
