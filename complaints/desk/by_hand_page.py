"""Doors for what no format could read: filed by hand, put aside, pasted, written down from a call."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from complaints import by_hand
from complaints.desk.access import access_message, may
from complaints.desk.by_hand_form import CallForm, ComplaintForm, PasteForm
from complaints.desk.evidence import show_message
from complaints.intake import StorageUnavailable
from complaints.pipeline import process_messages
from complaints.tasks import advance_cases, wake

STORED_NOT = "The desk could not store it just now. Nothing was lost: it is still in the form. Try again in a minute."


@may("see_network", to_post="work_cases")
@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponse:
    message = access_message(request.user, pk)
    form = ComplaintForm(request.POST)
    if not form.is_valid():
        return show_message(request, message, form=form, status=422)
    who = request.user.get_username()
    filed = by_hand.file_by_hand(message, [form.complaint(source=f"read by {who}")], by=who, now=timezone.now())
    wake(advance_cases, filed.touched)
    if filed.complaints:
        messages.success(request, "Filed. Below is whose address it was; the mail is no longer unread.")
    else:
        messages.info(request, "That complaint was filed before, so nothing was filed twice.")
    return redirect("desk:message", pk)


@may("see_network", to_post="work_cases")
@require_POST
def aside(request: HttpRequest, pk: int) -> HttpResponse:
    message, who = access_message(request.user, pk), request.user.get_username()
    why = " ".join(request.POST.get("why", "").split())[:300]
    if by_hand.put_aside(message, why=why, by=who, now=timezone.now()):
        messages.success(request, "Put aside as no complaint. It is kept, and can be taken back on its page.")
    else:
        messages.info(request, "Nothing was changed: it is not unread any more.")
    return redirect("desk:unread")


@may("see_network", to_post="work_cases")
@require_POST
def unaside(request: HttpRequest, pk: int) -> HttpResponse:
    if by_hand.take_back(access_message(request.user, pk), by=request.user.get_username(), now=timezone.now()):
        messages.success(request, "Taken back: it is unread again.")
    return redirect("desk:message", pk)


@may("see_network", to_post="work_cases")
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Two ways in on one page: a mail as text, or what somebody said."""
    pasting = request.method == "POST" and "paste" in request.POST
    calling = request.method == "POST" and not pasting
    paste = PasteForm(request.POST, request.FILES) if pasting else PasteForm()
    call = CallForm(request.POST, prefix="call") if calling else CallForm(prefix="call")
    try:
        if pasting and paste.is_valid():
            return store_pasted(request, paste)
        if calling and call.is_valid():
            return write_down(request, call)
    except StorageUnavailable:
        messages.error(request, STORED_NOT)
    wrong = bool(paste.errors or call.errors)
    context = {"nav": "enter", "paste": paste, "call": call, "calling": calling}
    return render(request, "desk/enter.html", context, status=422 if wrong else 200)


def store_pasted(request: HttpRequest, form: PasteForm) -> HttpResponse:
    pk = by_hand.paste(form.raw, by=request.user.get_username(), now=timezone.now())
    done = process_messages([pk])
    wake(advance_cases, done.cases)
    if done.complaints:
        messages.success(request, f"Read: {done.complaints} complaint{'s' if done.complaints > 1 else ''}.")
    elif done.unread:
        messages.warning(request, "Stored, but no format could read it: fill in by hand what it says.")
    elif not done.read:
        messages.info(request, "The same mail was stored before. Here it is.")
    else:
        messages.info(request, "Stored. No complaint was found in it.")
    return redirect("desk:message", pk)


def write_down(request: HttpRequest, form: CallForm) -> HttpResponse:
    who, found = request.user.get_username(), form.cleaned_data
    message, filed = by_hand.write_down(
        how=found["how"],
        reporter=found["reporter"].strip(),
        words=found["words"],
        complaints=[form.complaint(source=f"said by {found['how']}, written down by {who}")],
        by=who,
        now=timezone.now(),
    )
    wake(advance_cases, filed.touched)
    messages.success(request, "Written down and filed. Below is whose address it was.")
    return redirect("desk:message", message.pk)
