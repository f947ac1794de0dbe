"""The case page: one screen that tells the story, and the panel to act from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from complaints.cases.states import may_move
from complaints.cases.story import Entry, Line, Story, newest_complaints, tell
from complaints.desk import corrected, facts, listings, presence, regrouped, rule_words, shown_measures, when, words
from complaints.desk.access import access_case, may, visible
from complaints.desk.beside import beside
from complaints.desk.forms import CloseForm
from complaints.desk.holders import holders_of
from complaints.desk.interact import DEADLINES, moves_of
from complaints.desk.live import live_answer, render_live, wants_part
from complaints.desk.masked import mask
from complaints.desk.outgoing_mail import letter_shown
from complaints.desk.rows import promise_of, row_of
from complaints.desk.shown_answer import mail_answer, offers_in
from complaints.desk.turn import stages, turn_in_words
from complaints.desk.watch_page import watched
from complaints.models import Case, CaseEvent, User
from complaints.models.customers import in_charge
from complaints.notices.by_hand import STEP as MESSAGE
from complaints.notices.by_hand import phrases
from complaints.notices.compose import DEFAULT_LANGUAGE
from complaints.notices.letter import LINK_MARK
from complaints.notices.links import token_of
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution

MENTION = re.compile(r"((?<![\w@./-])@(?:\w[\w.+-]{0,148}\w|\w))")
LINK_SHOWN = "[the customer's own link]"  # the link itself is not stored
WITHDRAWN = "The customer was not told by it. The case stands where it stood: write to them again, or move it."
FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)


@may("see_cases")
@require_GET
def case_page(request: HttpRequest, pk: int) -> HttpResponse:
    case = access_case(request.user, pk)
    if not wants_part(request):
        return show_case(request, case)
    parts = parts_of(case, request.user)
    presence.note_viewer(case, request.user, parts["viewers"], parts["now"])
    part = render_live("desk/_case_parts.html", parts, request)
    # The panel of actions comes along when the case has moved since the page was drawn.
    panel = panel_of(case, parts["story"]) if request.GET.get("stay") != str(case.stay) else {}
    return live_answer("desk/_case_live.html", part | panel | {"case": case, "oob": True}, request)


def show_case(
    request: HttpRequest,
    case: Case,
    *,
    close_form: CloseForm | None = None,
    asks: bool = False,
    note_text: str = "",
    interact: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """`asks`: the question before closing stands open. `note_text`, `interact`: what was written and not taken."""
    context = parts_of(case, request.user)
    context |= panel_of(case, context["story"], close_form)
    page = reverse("desk:case", args=[case.pk])
    context |= render_live("desk/_case_parts.html", context, request, path=page)
    context |= {"nav": "queue", "asks": asks, "note_text": note_text, "interact": interact}
    context["typed"] = (interact or {}).get("typed", {})
    return render(request, "desk/case.html", context, status=status)


def parts_of(case: Case, user: User | AnonymousUser) -> dict[str, Any]:
    """Everything that renews itself: bounded queries, however long the case."""
    now, complaints = timezone.now(), newest_complaints(case)
    near = beside(case, complaints, user, now)
    story = tell(case, complaints, near["arrivals"])
    mask(story.entries, user)
    state, customer = CaseState(case.state), CustomerStatus(case.customer_status)
    same, others = facts.by_kinship(case, near["customers_cases"])
    held = facts.attribution(story.complaints)
    proven, checked = facts.is_proven(story), facts.is_checked(story)
    return {
        "case": case,
        "owner": case.owner,
        "now": now,
        "row": row_of(case, [], now),
        "story": story,
        "stages": stages(
            state=state, told=customer is not CustomerStatus.NONE, checked=checked,
            claimed=case.fixed_claimed_at is not None, fixed=case.resolution in FIXED,
        ),
        "turn": turn_in_words(
            state=state, customer=customer, proven=proven, checked=checked,
            sure_owner=case.confidence >= words.SURE_OWNER, suspected=case.cause != Cause.UNKNOWN,
            ended=words.RESOLUTIONS[Resolution(case.resolution)] if case.resolution else "",
        ),
        "age": when.age(case.opened_at, now),
        "last_age": when.age(case.last_seen_at, now),
        "language": facts.language_name(str(case.owner.get("language") or "")),
        "promise": promise_of(case, now),
        "next_steps": facts.next_steps(case, now),
        "addresses": facts.addresses(story.complaints),
        **listings.on_lists(case, story, near["listings"], near["blacklists"], now),
        "held": held,
        "holders": holders_of(case, near["holders"], near["holding_contracts"]),
        "owner_word": words.owner_word(case.confidence),
        "customer_word": words.CUSTOMER[customer],
        "viewers": near["viewers"],
        "others_here": presence.others_here(near["viewers"], user, now),
        "asked_of_you": [task for task in near["tasks"] if task.to_id == user.pk],
        "open_tasks_here": [task for task in near["tasks"] if task.to_id != user.pk],
        "contact_now": in_charge(near["contacts"]),
        "same": [(other, case_word(other)) for other in same],
        "others": [(other, case_word(other)) for other in others],
        "method": words.METHODS.get(held.method, held.method) if held else "",
        "what": words.what_is_wrong(category=case.category, cause=case.cause, ladder=case.ladder),
        "shown": [shown(entry, timezone.localtime(now)) for entry in story.entries],
        "links": links_of(story),
        **offers_in(case, last_answer(story)),
        **corrected.corrections(near["in_question"], near["told_wrongly"]),
        **regrouped.others_of(case, now, visible(user, Case), any_changes=bool(near["changes"])),
        "campaigns": near["campaigns"],
        "rules": rule_words.rules_of(story.complaints),
        **watched(near["rises"], now),
        **shown_measures.measures_of(case, near["measures"], near["products"], now),
    }  # fmt: skip


def panel_of(case: Case, story: Story, close_form: CloseForm | None = None) -> dict[str, Any]:
    state = CaseState(case.state)
    return {
        "panel": True,
        "case": case,
        "close_form": close_form or CloseForm(case=case, initial={"stay": case.stay}),
        "may_close": may_move(state, CaseState.CLOSED),
        "may_tell": state is CaseState.NOTIFIED or may_move(state, CaseState.NOTIFIED),
        "tell_label": "Remind the customer now" if state is CaseState.NOTIFIED else "Tell the customer now",
        "may_verify": may_move(state, CaseState.VERIFYING),
        "moves": moves_of(case),
        "deadlines": DEADLINES,
        "phrases": phrases(str(case.owner.get("language") or DEFAULT_LANGUAGE)),
        # A form carries its letter's number, so that what is sent twice goes once.
        "message_number": 1 + max((each.occurrence for each in story.notices if each.step == MESSAGE), default=0),
        **shown_measures.offered(case),
    }


def last_answer(story: Story) -> CaseEvent | None:
    return next((entry.what for entry in story.entries if entry.kind == EventKind.CUSTOMER_ANSWERED), None)


def shown(entry: Entry, now: datetime) -> dict[str, Any]:
    """An entry with the words its template needs. `now` in the reader's zone."""
    found = {"entry": entry, "what": entry.what, "template": f"desk/story/{TEMPLATES.get(entry.kind, 'line')}.html"}
    found |= {"at": when.day_and_time(timezone.localtime(entry.at), now), "age": when.age(entry.at, now)}
    if entry.kind == "check":
        run = entry.what.run
        found["title"] = words.check_title(run.check_name)
        found["verdict"] = words.verdict_word(run.check_name, run.verdict) if run.verdict else None
        remark = words.REMARKS.get(run.verdict, "")
        found |= {"excerpt": conversation(entry.what.excerpt, remark), "all": conversation(entry.what.lines, remark)}
        found["lists"] = [(row, words.ON_LIST.get(str(row.get("status")), words.Word("?"))) for row in entry.what.lists]
    elif entry.kind == "notice":
        found["text"] = entry.what.text.replace(LINK_MARK, LINK_SHOWN)
        found |= letter_shown(entry.what, now)
        found["title"] = words.NOTICES.get(entry.what.step, entry.what.step.replace("_", " ").capitalize())
    elif entry.kind == "customer_answered":
        found |= mail_answer(entry.what) | {"line": LINES[entry.kind](entry.what.data)}
    elif entry.kind in LINES:
        found["line"] = LINES[entry.kind](entry.what.data)
    if entry.kind == "complaints":
        times = [timezone.localtime(each.seen_at) for each in entry.what.complaints]
        told = [(at.isoformat(), f"{at:%H:%M}") for at in times]
        found["rows"] = [(each, *at) for each, at in zip(entry.what.complaints, told, strict=True)]
    if entry.kind == EventKind.NOTE:
        # Every second part is an @name.
        found["parts"] = MENTION.split(str(entry.what.data.get("text") or ""))
    return found


def conversation(lines: Sequence[Line], remark: str) -> SafeString:
    """A talk between servers, the line that decided marked. Not a template: a page may show thousands of lines."""
    at = next((index for index, line in enumerate(lines) if line.decides), None)
    if at is None:
        return said(lines)
    marked = f"{lines[at].said} {lines[at].text}"
    return format_html("{}<mark>{}</mark>\n      ↑ {}\n{}", said(lines[:at]), marked, remark, said(lines[at + 1 :]))


def said(lines: Iterable[Line]) -> SafeString:
    return escape("".join(f"{line.said} {line.text}\n" for line in lines))


TEMPLATES = {
    "complaints": "complaints",
    "check": "check",
    "notice": "notice",
    "note": "note",
    "customer_answered": "answer",
}


def moved_line(data: dict[str, Any]) -> tuple[str, str]:
    to = CaseState(data["to"])
    if to is CaseState.CLOSED:
        return f"Closed: {words.RESOLUTIONS[Resolution(data['resolution'])].lower()}", data.get("reason", "")
    return f"{words.STATES[CaseState(data['from'])]} → {words.STATES[to]}", data.get("reason", "")


def diagnosed_line(data: dict[str, Any]) -> tuple[str, str]:
    cause = Cause(data.get("cause") or "unknown")
    sureness = words.confidence_word(float(data.get("confidence") or 0)).text
    known = f" ({sureness})" if cause is not Cause.UNKNOWN else ""
    return f"Probable cause: {words.CAUSES[cause].lower()}{known}", "; ".join(
        data.get("because") or data.get("reasons") or []
    )


def opened_line(data: dict[str, Any]) -> tuple[str, str]:
    return "Case opened", f"Relapse of {data['relapse_of']}" if data.get("relapse_of") else ""


# The head and the second line of a plain history line, by kind of event.
LINES = {
    "opened": opened_line,
    "moved": moved_line,
    "diagnosed": diagnosed_line,
    "customer_saw": lambda data: ("The customer opened their page", ""),
    "assigned": rule_words.assigned_line,
    "notice_failed": lambda data: ("A mail could not be sent", str(data.get("problem") or "")),
    "notice_withdrawn": lambda data: (f"Mail to {data.get('to')} taken back before it went", WITHDRAWN),
    "forwarded": lambda data: (f"Complaint passed on to {data.get('to')}", str(data.get("problem") or "")),
    "customer_answered": lambda data: (
        words.ANSWERS_GIVEN.get(data.get("answer"), "Answer"),
        str(data.get("text") or ""),
    ),
    "note": lambda data: ("Note", str(data.get("text") or "")),
    "measure": lambda data: (
        f"{words.MEASURES.get(data.get('measure'), 'Measure')}: "
        f"{words.MEASURE_STATES.get(data.get('state'), words.Word('?')).text}",
        str(data.get("reason") or ""),
    ),
    "task": lambda data: (f"Task {'done' if data.get('done') else 'for a person'}", str(data.get("title") or "")),
    **corrected.LINES,
    **regrouped.LINES,
}


def links_of(story: Story) -> dict[int, str]:
    """Portal addresses by notice: the page as the customer sees it. A token the secret no longer makes is left out."""
    tokens = {notice.pk: token_of(notice.link) for notice in story.notices if notice.link}
    return {pk: reverse("portal:case", args=[token]) for pk, token in tokens.items() if token}


def case_word(case: Case) -> words.Word:
    """How another case stands, as a chip."""
    if case.state == CaseState.CLOSED:
        tone = "good" if case.resolution in FIXED else ""
        return words.Word(words.RESOLUTIONS[Resolution(case.resolution)], tone)
    return words.Word(words.STATES[CaseState(case.state)], "warn")
