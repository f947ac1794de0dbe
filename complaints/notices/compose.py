"""Decide a mail to the customer: write it, once, as a row. Sending is complaints/notices/delivery.py."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.template import Context, Engine, Template, TemplateDoesNotExist
from django.template.loader import render_to_string

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, CaseEvent, Notice
from complaints.notices.about import ABOUT_ADDRESSES, ahead, events, measures, place_of, theme_of, themes, urls
from complaints.notices.evidence import blacklists, relay_proof
from complaints.notices.letter import LINK_MARK, Letter, as_text, one_line, read_letter
from complaints.notices.links import make_link
from complaints.notices.moments import moment
from complaints.notices.own_letters import own_letter
from complaints.notices.replies import subject_mark
from complaints.notices.senders import Sender, sender_of
from complaints.notices.when_due import letter_due
from complaints.vocabulary import EventKind, MeasureKind, Resolution

STEP = re.compile(r"[a-z][a-z0-9_]*")
DEFAULT_LANGUAGE = "en"
LONGEST_SUBJECT = 300


class NoSuchLetter(Exception):
    """No file under templates/notices is meant for this step."""


def queue_notice(
    case: Case,
    step: str,
    *,
    occurrence: int,
    now: datetime,
    extra: Mapping[str, Any] | None = None,
    recipient: int = 1,
) -> Notice | None:
    """One mail of one step to the contact in charge of the case; a repeat returns the first one.

    `extra` goes to the letter, where it wins over what is known here: a time under NAME_at as the moment NAME, what
    comes by time alone under `coming`. `recipient` counts the contacts that this letter was tried on.
    Returns None, with one line in the history, when there is nobody to write to.

    Raises:
        NoSuchLetter: no letter is written for `step`.
    """
    known = {"case": case, "step": step, "occurrence": occurrence, "recipient": recipient}
    existing = Notice.objects.filter(**known).first()
    if existing:
        return existing
    to_email = str(case.owner.get("contact_email") or "")
    if problem := address_problem(to_email):
        record_no_address(case, step=step, occurrence=occurrence, problem=problem, now=now)
        return None
    wanted = str(case.owner.get("language") or DEFAULT_LANGUAGE)
    template = letter_for(step, cause=case.cause, category=case.category, language=wanted)
    language = language_of(template)
    given, sender = dict(extra or {}), sender_of(case)
    facts = facts_of(case, language, coming=given.get("coming", ()), sender=sender) | as_facts(given, language)
    letter = read_letter(template.render(Context(facts, autoescape=False)))
    subject = with_mark(letter.subject, case.number)
    try:
        with transaction.atomic():
            notice = Notice.objects.create(
                **known,
                to_name=one_line(str(case.owner.get("contact_name") or ""))[:200],
                to_email=to_email,
                language=language,
                link=make_link(case, now=now) if has_button(letter) else None,
                subject=subject,
                text=as_text(letter),
                html=as_html(letter, language, number=case.number, sender=sender),
                message_id=new_message_id(case, step, occurrence, domain=sender.domain),
                brand=sender.brand,
                given=kept(given),
                queued_at=now,
                due_at=letter_due(case, step, now=now),
            )
            record(
                case, EventKind.NOTICE_QUEUED, actor=MACHINE, now=now,
                notice=notice.pk, step=step, occurrence=occurrence, to=to_email,
            )  # fmt: skip
    except IntegrityError:  # another worker decided the same at the same moment; its row is as good
        return Notice.objects.get(**known)
    return notice


def has_button(letter: Letter) -> bool:
    return any(block.kind == "button" for block in letter.blocks)


def address_problem(to_email: str) -> str | None:
    if not to_email:
        return "the contract has no contact with an e-mail address"
    try:
        validate_email(to_email)
    except ValidationError:
        return f"the contact's e-mail address is not one: {to_email[:254]!r}"
    return None


def record_no_address(case: Case, *, step: str, occurrence: int, problem: str, now: datetime) -> None:
    """Once in the history, however often the playbook asks."""
    known = {"data__step": step, "data__occurrence": occurrence}
    if not CaseEvent.objects.filter(case=case, kind=EventKind.NOTICE_FAILED, **known).exists():
        record(case, EventKind.NOTICE_FAILED, actor=MACHINE, now=now, step=step, occurrence=occurrence, problem=problem)


def letter_for(step: str, *, cause: str, language: str, category: str = "") -> Template:
    """The closest letter: the customer's language before English; the cause, category or family before the general."""
    if not STEP.fullmatch(step):
        raise NoSuchLetter(f"{step!r} is no name of a step")
    languages = dict.fromkeys([language.lower(), language.lower().partition("-")[0], DEFAULT_LANGUAGE])
    names = [*(f"{step}.{theme}" for theme in themes(cause, category)), step]
    own = own_letter(step, [(lang, name.partition(".")[2]) for lang in languages for name in names])
    wanted = [f"notices/{lang}/{name}.txt" for lang in languages for name in names]
    for each in wanted:
        if each in own:
            return own[each]
        with suppress(TemplateDoesNotExist):
            return Engine.get_default().get_template(each)
    raise NoSuchLetter(f"no letter for step {step!r}: looked for {', '.join(wanted)}")


def language_of(template: Template) -> str:
    return str(template.name).split("/")[1]


def as_facts(given: Mapping[str, Any], language: str) -> dict[str, Any]:
    times = {key.removesuffix("_at"): moment(value, language) for key, value in given.items() if key.endswith("_at")}
    return {key: value for key, value in given.items() if key != "coming" and not key.endswith("_at")} | times


def kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON, for the same letter to the next contact."""
    coming = [[at.isoformat(), kind] for at, kind in given.get("coming", ())]
    plain = {key: value.isoformat() if key.endswith("_at") else value for key, value in given.items()}
    return plain | ({"coming": coming} if coming else {})


def restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` again, of what `kept` made of it."""
    coming = [(datetime.fromisoformat(at), kind) for at, kind in kept.get("coming", ())]
    plain = {key: datetime.fromisoformat(value) if key.endswith("_at") else value for key, value in kept.items()}
    return plain | {"coming": coming}


def with_mark(subject: str, number: str) -> str:
    """The number at a subject's end, with the few keyed characters by which an answer finds its case."""
    mark = subject_mark(number)
    if mark in subject:
        return subject
    return f"{without_number(subject, number)[: LONGEST_SUBJECT - len(mark) - 1]} {mark}"


def without_number(subject: str, number: str) -> str:
    return re.sub(rf"\s*(?:\([^()]*{re.escape(number)}\)|\[{re.escape(number)}-\w+\])$", "", subject)


def facts_of(
    case: Case,
    language: str,
    *,
    deadline: datetime | None = None,
    coming: Sequence[tuple[datetime, str]] = (),
    sender: Sender | None = None,
) -> dict[str, Any]:
    """Everything a letter may mention. What is not here cannot leak: no reporter, no trap, no mail complained about."""
    deadline = deadline or case.deadline_at
    proof, listed, theme = relay_proof(case), blacklists(case), theme_of(case.cause, case.category)
    claimed, place, seen = case.fixed_claimed_at, place_of(case), events(case)
    harder = [each for each in ahead(coming, language) if each.kind in set(MeasureKind)]
    facts: dict[str, Any] = {
        "number": case.number,
        "address": case.address_text,
        "category": case.category,
        "cause": case.cause,
        "about": theme,
        "proven_fixed": case.resolution == Resolution.FIXED_VERIFIED,
        "place": place.kind,
        "place_name": place.name,
        "contact_name": one_line(str(case.owner.get("contact_name") or ""))[:100],
        "customer_name": one_line(str(case.owner.get("customer_name") or ""))[:100],
        "contract": one_line(str(case.owner.get("contract") or ""))[:100],
        "since": moment(case.first_seen_at, language),
        "last_seen": moment(case.last_seen_at, language),
        "complaint_count": case.complaint_count,
        "reporter_count": case.reporter_count,
        "deadline": deadline and moment(deadline, language),
        "threat": harder[0] if harder else None,
        "later": harder[1] if len(harder) > 1 else None,
        "measures": measures(case, language),
        "proof": proof,
        "proof_at": proof and moment(proof.at, language),
        "failed_again": proof if proof and (claimed is None or proof.at >= claimed) else None,
        "claimed": claimed and moment(claimed, language),
        "new_complaints": case.complaints.filter(seen_at__gt=claimed).count() if claimed else 0,
        "blacklists": [entry.name for entry in listed.listed] if listed else [],
        "events": seen,
        "events_have_ports": any(event.port for event in seen),
        # In mail abuse the addresses stood in the mail, and are others' business.
        "urls": urls(case) if place.kind == "site" or theme in ABOUT_ADDRESSES else [],
        "link": LINK_MARK,
        "mark": subject_mark(case.number),
        "site": settings.BASE_URL,
        "demo": settings.DEMO,
        **(sender or sender_of(case)).facts,
    }
    return facts | called(facts, language)


def called(facts: Mapping[str, Any], language: str) -> dict[str, str]:
    """The customer's line, mailbox or site in words of their language, for subjects and sentences.

    The first line is `called`; a language with cases has further ones: `called_2`, `called_3`.
    """
    names = [f"notices/{each}/called.txt" for each in (language, DEFAULT_LANGUAGE)]
    template = Engine.get_default().select_template(names)
    forms = template.render(Context(dict(facts), autoescape=False)).strip().splitlines()
    return {f"called_{number}" if number > 1 else "called": one_line(form) for number, form in enumerate(forms, 1)}


def as_html(letter: Letter, language: str, *, number: str, sender: Sender) -> str:
    # The number stands above the title already, with the word that the language has for it.
    named = re.search(rf"\(([^()]*{re.escape(number)})\)$", letter.subject)
    context = {
        "letter": letter,
        "title": without_number(letter.subject, number),
        "number": named[1][:1].upper() + named[1][1:] if named else number,
        "language": language,
        "link": LINK_MARK,
        "desk_name": sender.name,
        "colour": sender.colour,
    }
    written = inliner().inline(render_to_string("notices/layout.html", context))
    return written.replace("E-Mail", "E\N{NON-BREAKING HYPHEN}Mail")  # on a phone many a line would end after its E


@cache
def inliner() -> css_inline.CSSInliner:
    """Mail clients drop style sheets, so every rule moves into its element; @media rules stay for dark mode."""
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def new_message_id(case: Case, step: str, occurrence: int, *, domain: str) -> str:
    """Fixed when the mail is decided: should it ever be sent twice, both copies carry the same one."""
    return f"<case-{case.number}.{step}-{occurrence}.{secrets.token_hex(8)}@{domain}>"
