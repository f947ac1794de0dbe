"""The administrator's page: the sources of attribution in order, how each does, and what each says of an address."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from complaints.addresses import NO_ADDRESS, address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.chain import attribute_by_each, place_of
from complaints.attribution.evidence import host_name
from complaints.attribution.resolvers import Fact, all_resolvers, chain, places_of
from complaints.attribution.times import read_time
from complaints.desk.access import may
from complaints.desk.words import WHOSE, Word
from complaints.models import Contract


class TryForm(forms.Form):
    """A question as a report would ask it."""

    address = forms.CharField(max_length=60, required=False)
    port = forms.IntegerField(
        min_value=1,
        max_value=65535,
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "A port is a number from 1 to 65535."),
    )
    at = forms.CharField(label="Time", max_length=40, required=False)
    name = forms.CharField(label="Host name", max_length=253, required=False)
    account = forms.CharField(label="Login", max_length=254, required=False)

    def clean_address(self) -> bytes:
        text = self.cleaned_data["address"].strip()
        try:
            return address_key(text) if text else NO_ADDRESS
        except ValueError as exc:
            raise forms.ValidationError(f"{exc}; write it as 192.0.2.10 or 2001:db8::10.") from exc

    def clean_at(self) -> datetime:
        text = self.cleaned_data["at"].strip()
        try:
            return read_time(text) if text else timezone.now()
        except ValueError as exc:
            raise forms.ValidationError(f"{exc}.") from exc

    def clean_name(self) -> tuple[str, ...]:
        text = self.cleaned_data["name"].strip()
        name = host_name(text) if text else None
        if text and name is None:
            raise forms.ValidationError(f"{text!r} is no host name; write it as www.shop.example.")
        return (name,) if name else ()

    def clean_account(self) -> tuple[str, ...]:
        text = self.cleaned_data["account"].strip()
        return (text,) if text else ()

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not found["address"] and not found["name"]:
            raise forms.ValidationError("Give an address or a host name.")
        return found

    def question(self) -> Question:
        given = self.cleaned_data
        return Question(
            address=given["address"],
            port=given["port"],
            at=given["at"],
            slack=timedelta(seconds=settings.CLOCK_TOLERANCE),
            names=given["name"],
            accounts=given["account"],
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """One answer as the page shows it; word is None where a source is not asked or knows nothing."""

    source: str
    holding: Holding | None
    contract: str
    word: Word | None


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """One source as the page shows it. number: its turn; 0: not in use."""

    name: str
    number: int
    what: str
    places: list[str]
    facts: list[Fact]
    word: Word


FINE, TROUBLE, UNUSED = Word("Works", "good"), Word("Look at it", "bad"), Word("Not in use", "")


@may("configure")
@require_http_methods(["GET", "POST"])
def resolvers_page(request: HttpRequest) -> HttpResponse:
    """POST changes nothing but what an outside source's answer leaves in its memory."""
    form = TryForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"nav": "resolvers", "form": form}
    if form.is_bound and form.is_valid():
        question = form.question()
        context |= {"question": question, "place": place_of(question), **said_of(question)}
    context["sources"] = sources(timezone.now())  # after the question, which may have found something out
    return render(request, "desk/resolvers.html", context)


def said_of(question: Question) -> dict[str, Any]:
    each = attribute_by_each(question)
    [whole] = attribute([question])
    held = [holding for _, holding in each] + [whole]
    ids = {holding.contract_id for holding in held if holding and holding.contract_id}
    names = dict(Contract.objects.filter(pk__in=ids).values_list("pk", "reference"))
    return {
        "whole": said("", whole, names),
        "each": [said(resolver.NAME, holding, names) for resolver, holding in each],
    }


def said(source: str, holding: Holding | None, names: dict[int, str]) -> Said:
    contract = names.get(holding.contract_id or 0, "") if holding else ""
    return Said(source, holding, contract, WHOSE[holding.answer] if holding else None)


def sources(now: datetime) -> list[Shown]:
    """Those in use in their order, then the others."""
    in_use = list(chain())
    others = [resolver for resolver in all_resolvers().values() if resolver not in in_use]
    found = []
    for number, resolver in [*enumerate(in_use, start=1), *((0, resolver) for resolver in others)]:
        facts = resolver.health(now=now)
        word = UNUSED if not number else FINE if all(fact.ok for fact in facts) else TROUBLE
        what = (resolver.__doc__ or "").partition("\n")[0]
        places = sorted(place.value for place in places_of(resolver))
        found.append(Shown(resolver.NAME, number, what, places, facts, word))
    return found
