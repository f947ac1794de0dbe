"""The customer's browser: opens the page of a mail, finds the form of an answer, and presses its button.

It knows no field names: like a person it takes what the page offers. It never leaves the desk's own address.
"""

from __future__ import annotations

import dataclasses
import http.client
import http.cookiejar
from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

TIMEOUT_S = 10.0
Pairs = list[tuple[str, str]]


class PageProblem(Exception):
    """The page did not come, or does not offer the answer. is_final: trying again would not help."""

    def __init__(self, text: str, *, is_final: bool) -> None:
        super().__init__(text)
        self.is_final = is_final


@dataclasses.dataclass(slots=True)
class Form:
    action: str = ""
    fields: Pairs = dataclasses.field(default_factory=list)  # hidden and prefilled ones
    ticks: Pairs = dataclasses.field(default_factory=list)
    texts: list[str] = dataclasses.field(default_factory=list)
    buttons: Pairs = dataclasses.field(default_factory=list)

    def offers(self, answer: str) -> bool:
        return any(value == answer for _, value in (*self.fields, *self.ticks, *self.buttons))

    def filled(self, answer: str, text: str) -> Pairs:
        """What a browser would send when the button of `answer` is pressed, all boxes ticked and the text written."""
        pressed = [pair for pair in self.buttons if pair[1] == answer][:1]
        radios = {name for name, value in self.ticks if value == answer}
        ticks = [(name, value) for name, value in self.ticks if name not in radios or value == answer]
        return [*self.fields, *ticks, *((name, text) for name in self.texts), *pressed]


class FormReader(HTMLParser):
    """Collects the POST forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = Form(given.get("action", ""))
            if given.get("method", "").lower() == "post":
                self.forms.append(self.inside)
        elif self.inside is not None and given.get("name"):
            self.keep(self.inside, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = None

    def keep(self, form: Form, tag: str, given: dict[str, str]) -> None:
        pair = (given["name"], given.get("value", ""))
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        if tag == "textarea":
            form.texts.append(given["name"])
        elif kind in ("checkbox", "radio"):
            form.ticks.append((pair[0], pair[1] or "on"))
        elif kind == "submit":
            form.buttons.append(pair)
        elif tag == "input" and kind != "button":
            form.fields.append(pair)


class StaysHome(HTTPRedirectHandler):
    def __init__(self, site: str) -> None:
        self.site = site

    def redirect_request(
        self, req: Request, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> Request | None:
        refuse_strangers(newurl, self.site)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class Browser:
    """One visit of one customer, with its own cookies. site: scheme, host and port of the desk."""

    def __init__(self, site: str) -> None:
        self.site = site
        cookies = HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener: OpenerDirector = build_opener(ProxyHandler({}), StaysHome(site), cookies)

    def open(self, url: str) -> str:
        """The page's HTML. Raises PageProblem."""
        return self.fetch(Request(checked(url, self.site)))  # noqa: S310 - checked: the desk's own address only

    def answer(self, url: str, answer: str, text: str = "") -> None:
        """Open the page and press the button. Raises PageProblem."""
        reader = FormReader()
        reader.feed(self.open(url))
        form = next((form for form in reader.forms if form.offers(answer)), None)
        if form is None:
            raise PageProblem(f"the page offers no answer {answer!r}", is_final=True)
        target = checked(urljoin(url, form.action), self.site)
        body = urlencode(form.filled(answer, text)).encode()
        self.fetch(Request(target, body, {"Referer": url, "Origin": self.site}))  # noqa: S310 - checked

    def fetch(self, request: Request) -> str:
        try:
            with self.opener.open(request, timeout=TIMEOUT_S) as response:
                return str(response.read().decode("utf-8", "replace"))
        except HTTPError as exc:
            is_final = exc.code < 500 and exc.code != 409  # 409: the case moved in that moment
            raise PageProblem(f"the page answers {exc.code} {exc.reason}", is_final=is_final) from exc
        except (OSError, http.client.HTTPException) as exc:
            raise PageProblem(f"the page does not answer: {exc}", is_final=False) from exc


def checked(url: str, site: str) -> str:
    refuse_strangers(url, site)
    return url


def refuse_strangers(url: str, site: str) -> None:
    if urlsplit(url)[:2] != urlsplit(site)[:2]:
        raise PageProblem(f"{url} is not on {site}", is_final=True)
