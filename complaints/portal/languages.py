"""The language of a customer's page: what they chose on it, else that of their contact. A folder is all it takes."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from pathlib import Path

from django.http import HttpRequest
from django.template import Engine
from django.utils.translation import get_language_info

from complaints.models import Case
from complaints.notices.compose import DEFAULT_LANGUAGE

COOKIE = "page_language"
TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")  # it becomes part of a file's name
A_YEAR = 365 * 86400


@dataclasses.dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str  # as its speakers write it


@cache
def languages() -> tuple[Language, ...]:
    """Those that the page is written in: folders of templates/portal with a page in them; the default first."""
    codes = {path.parent.name for each in Engine.get_default().dirs for path in Path(each).glob("portal/*/page.html")}
    return tuple(
        Language(code, name_of(code)) for code in sorted(codes, key=lambda code: (code != DEFAULT_LANGUAGE, code))
    )


def name_of(code: str) -> str:
    try:
        name: str = get_language_info(code)["name_local"]
    except KeyError:  # one that Django does not know
        return code
    return name[:1].upper() + name[1:]


def language_of(request: HttpRequest, case: Case | None) -> str:
    asked = [request.GET.get("lang", ""), request.COOKIES.get(COOKIE, "")]
    if case is None:
        accepted = request.headers.get("Accept-Language", "")[:200].split(",")
        asked += [part.partition(";")[0].strip() for part in accepted]
    else:
        asked.append(str(case.owner.get("language") or ""))
    return next((found for each in asked if (found := known(each))), DEFAULT_LANGUAGE)


def known(tag: str) -> str | None:
    tag = tag.lower()
    if not TAG.fullmatch(tag):
        return None
    codes = {each.code for each in languages()}
    return next((code for code in (tag, tag.partition("-")[0]) if code in codes), None)
