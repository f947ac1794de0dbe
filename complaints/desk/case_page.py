"""The case page: one screen that tells the story, and the panel to act from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.cases.states import may_move
from complaints.cases.story import MOST, MOST_SHOWN, SHOWN, Story, newest_complaints, tell
from complaints.desk import corrected, facts, listings, presence, regrouped, rule_words, shown_measures, when, words
from complaints.desk.access import may, visible
from complaints.desk.beside import beside
from complaints.desk.case_acts import acts_here
from complaints.desk.case_mark import access_marked, is_new, mark_of
from complaints.desk.case_story import shown
from complaints.desk.forms import RESOLUTIONS, CloseForm
from complaints.desk.holders import holders_of
from complaints.desk.interact import DEADLINES, moves_of
from complaints.desk.live import SEEN, live_answer, nothing_new, render_live, wants_part
from complaints.desk.masked import mask
from complaints.desk.rights import is_restricted
from complaints.desk.rows import promise_of, row_of
from complaints.desk.shown_answer import offers_in
from complaints.desk.turn import stages, turn_in_words
from complaints.desk.watch_page import watched
from complaints.models import Case, CaseEvent, User
from complaints.models.customers import in_charge
from complaints.notices.by_hand import STEP as MESSAGE
from complaints.notices.by_hand import phrases
from complaints.notices.compose import DEFAULT_LANGUAGE
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution

FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)


@may("see_cases")
@require_GET
def case_page(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    if not wants_part(request):
        case, mark = access_marked(request.user, pk, now)
        return show_case(request, case, mark=mark.given(now))
    mark = mark_of(request.user, pk, now)
    presence.note_viewer(pk, request.user, mark.mine, now)
    if not is_new(request, mark, now):
        return nothing_new()
    case, mark = access_marked(request.user, pk, now)
    part = live_part(request, case, now) | {"mark": mark.given(now)}
    if request.GET.get(SEEN) == part["live_digest"]:  # the same words: only the mark is renewed
        return only_the_mark(part)
    # The panel of actions comes along when the case has moved since the page was drawn.
    panel = panel_of(case, part["story"]) if request.GET.get("stay") != str(case.stay) else {}
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
    mark: str = "",
) -> HttpResponse:
    """`asks`: the question before closing stands open. `note_text`, `interact`: what was written and not taken.

    mark: of what the page is drawn from; without one it asks for news at once.
    """
    context = live_part(request, case, timezone.now())
    context |= panel_of(case, context["story"], close_form)
    context |= {"mark": mark, "nav": "queue", "asks": asks, "note_text": note_text, "interact": interact}
    context["here"] = reverse("desk:case", args=[case.pk])  # also where the address is that of a refused act
    context["typed"] = (interact or {}).get("typed", {})
    return render(request, "desk/case.html", context, status=status)


def only_the_mark(part: Mapping[str, Any]) -> HttpResponse:
    """The same words as before: the page stays as it is, and knows that it is not old."""
    response = HttpResponse(render_to_string("desk/_case_mark.html", dict(part) | {"oob": True}))
    response["HX-Reswap"] = "none"
    return response


def live_part(request: HttpRequest, case: Case, now: datetime) -> dict[str, Any]:
    """What renews itself, and its HTML."""
    context = parts_of(case, request.user, now, most=entries_wanted(request))
    context["acts"] = acts_here(request, case, now)
    page = reverse("desk:case", args=[case.pk])
    return context | render_live("desk/_case_parts.html", context, request, path=page)


def entries_wanted(request: HttpRequest) -> int:
    """How far back the reader has asked the story to go."""
    text = request.GET.get("shown", "")
    return min(max(int(text), SHOWN), MOST_SHOWN) if text.isascii() and text.isdigit() and len(text) < 9 else SHOWN


def parts_of(case: Case, user: User | AnonymousUser, now: datetime, *, most: int) -> dict[str, Any]:
    """Everything that renews itself: bounded queries, however long the case."""
    complaints = newest_complaints(case, most=most)
    near = beside(case, complaints, facts.attribution(complaints), user, now)
    story = tell(case, complaints, near["arrivals"], most=most)
    mask(story.entries, user)
    local = timezone.localtime(now)
    state, customer = CaseState(case.state), CustomerStatus(case.customer_status)
    held = near["held"][0] if near["held"] else None
    same, others = facts.by_kinship(case, near["customers_cases"])
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
        "shown": [shown(entry, local) for entry in story.entries],
        "more_shown": most * 2 if story.has_more and most < MOST_SHOWN else 0,
        "complaints_looked_at": len(complaints) if case.complaint_count > len(complaints) >= MOST else 0,
        **offers_in(case, last_answer(story)),
        **corrected.corrections(near["in_question"], near["told_wrongly"]),
        **regrouped.others_of(
            case, now, visible(user, Case) if is_restricted(user) else None, any_changes=bool(near["changes"])
        ),
        "campaigns": near["campaigns"],
        "rules": rule_words.rules_of(story.complaints),
        **watched(near["rises"], now),
        "floods": [(flood, when.age(flood.began_at, now)) for flood in near["floods"]],
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
        "resolutions": RESOLUTIONS,
        "deadlines": DEADLINES,
        "phrases": phrases(str(case.owner.get("language") or DEFAULT_LANGUAGE)),
        # A form carries its letter's number, so that what is sent twice goes once.
        "message_number": 1 + max((each.occurrence for each in story.notices if each.step == MESSAGE), default=0),
        **shown_measures.offered(case),
    }


def last_answer(story: Story) -> CaseEvent | None:
    return next((entry.what for entry in story.entries if entry.kind == EventKind.CUSTOMER_ANSWERED), None)


def case_word(case: Case) -> words.Word:
    """How another case stands, as a chip."""
    if case.state == CaseState.CLOSED:
        tone = "good" if case.resolution in FIXED else ""
        return words.Word(words.RESOLUTIONS[Resolution(case.resolution)], tone)
    return words.Word(words.STATES[CaseState(case.state)], "warn")
