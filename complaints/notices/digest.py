"""Several letters to one address as one mail: a list of the cases, each with the link to its own page."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine

from complaints.models import Notice
from complaints.notices.about import place_of
from complaints.notices.compose import DEFAULT_LANGUAGE, as_html, with_mark, without_number
from complaints.notices.letter import LINK_MARK, as_text, one_line, read_letter
from complaints.notices.mail import letter_mail
from complaints.notices.moments import moment
from complaints.notices.senders import sender_of_notice

# Letters with a date by which it should be fixed.
PROMISING = frozenset({"notify", "remind", "still_open", "more_time", "look_again"})
MOST_NUMBERS = 5  # named where there is room for few


def digest_mail(notices: Sequence[Notice], urls: Sequence[str]) -> EmailMultiAlternatives:
    """urls: of each notice's page, "" for a letter that has none. It goes in the name of the first notice."""
    first, sender = notices[0], sender_of_notice(notices[0])
    language, source = written_in(first.language)
    numbers = [each.case.number for each in notices]
    named = ", ".join(numbers[:MOST_NUMBERS]) + (", …" if len(numbers) > MOST_NUMBERS else "")
    facts = {
        "items": [item_of(each, url, language) for each, url in zip(notices, urls, strict=True)],
        "count": len(notices),
        "number": named,
        "contact_name": one_line(first.to_name),
        "site": settings.BASE_URL,
        **sender.facts,
    }
    letter = read_letter(Engine.get_default().get_template(source).render(Context(facts, autoescape=False)))
    links = [url for url in urls if url]
    text, html = filled(as_text(letter), links), filled(as_html(letter, language, number=named, sender=sender), links)
    subject = with_mark(without_number(letter.subject, named), first.case.number)
    return letter_mail(first, subject, text, html, numbers=numbers, headers={})


def written_in(language: str) -> tuple[str, str]:
    """The language and the file; English where nobody has written it."""
    for each in (language.lower(), language.lower().partition("-")[0]):
        if (settings.BASE_DIR / "templates/notices" / each / "digest.txt").is_file():
            return each, f"notices/{each}/digest.txt"
    return DEFAULT_LANGUAGE, f"notices/{DEFAULT_LANGUAGE}/digest.txt"


def item_of(notice: Notice, url: str, language: str) -> dict[str, object]:
    case = notice.case
    return {
        "title": without_number(one_line(notice.subject), case.number),
        "number": case.number,
        "address": case.address_text if place_of(case).kind == "line" else "",
        "deadline": moment(case.deadline_at, language) if case.deadline_at and notice.step in PROMISING else None,
        "has_page": bool(url),
    }


def filled(text: str, links: Sequence[str]) -> str:
    """The n-th button leads to the n-th page; each stands in the text as often as the others."""
    pieces = text.split(LINK_MARK)
    each = (len(pieces) - 1) // len(links) if links else 1
    return pieces[0] + "".join(links[index // each] + piece for index, piece in enumerate(pieces[1:]))
