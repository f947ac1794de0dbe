"""Letters in the desk's own words: kept as versions, checked before they count, and stronger than the shipped file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.template import Context, Template, TemplateDoesNotExist, TemplateSyntaxError

from complaints.models import Case, LetterText
from complaints.notices.letter import BadLetter, Letter, read_letter
from complaints.notices.sandbox import compiled, sandbox

INCLUDE = re.compile(r"{%-?\s*include\s+[\"']([^\"']{1,100})[\"'][^%]{0,200}%}")
# What a letter must not lose: how it stands in the source, and what is missing without it.
NEEDED = (
    (re.compile(r"^=> \S", re.M), "the button: a line that begins with =>"),
    (re.compile(r"{{\s*number\b"), "the case's number: {{ number }}, or the piece genuine.txt"),
    (re.compile(r"{{\s*deadline\b"), "the date that is promised: {{ deadline }}, or the piece deadline.txt"),
)


class NotALetter(ValueError):
    """The text cannot become a letter; says what is wrong, a line each."""


def save_letter(*, language: str, step: str, cause: str, source: str, actor: str, now: datetime) -> LetterText:
    """The next version; an empty source goes back to the shipped file. Raises NotALetter."""
    if source.strip():
        check_letter(source, language=language, step=step, cause=cause)
    about = {"language": language, "step": step, "cause": cause}
    for _ in range(5):
        last = LetterText.objects.filter(**about).aggregate(last=Max("version"))["last"] or 0
        try:
            with transaction.atomic():
                return LetterText.objects.create(
                    **about, version=last + 1, source=source, written_by=actor[:150], written_at=now
                )
        except IntegrityError:
            continue  # somebody else saved at the same moment: theirs is the version before ours
    raise NotALetter("somebody else saves this letter again and again; try later")


def check_letter(source: str, *, language: str, step: str, cause: str) -> None:
    """Raises NotALetter: no template, no letter, or it lost what the shipped one promises."""
    try:
        compiled(source, name=f"{language}/{step}")
        whole = with_pieces(source)
    except (TemplateSyntaxError, TemplateDoesNotExist) as exc:
        raise NotALetter(f"the template cannot be read: {exc}") from exc
    shipped = shipped_source(language, step, cause)
    lost = [what for needed, what in NEEDED if needed.search(shipped) and not needed.search(whole)]
    if not source.lstrip().startswith("Subject: "):
        lost.insert(0, "the subject: the first line begins with 'Subject: '")
    if lost:
        raise NotALetter("The letter lacks " + "; ".join(lost))


def shipped_source(language: str, step: str, cause: str) -> str:
    """Of the file that it stands in for, English where the language has none; "" for a step of the desk's own."""
    folder = settings.BASE_DIR / "templates/notices"
    for each in (language, "en"):
        for name in dict.fromkeys((f"{step}.{cause}" if cause else step, step)):
            if (folder / each / f"{name}.txt").is_file():
                return with_pieces((folder / each / f"{name}.txt").read_text())
    return ""


def with_pieces(source: str, depth: int = 0) -> str:
    """The source with the sources of its pieces in it. Raises TemplateDoesNotExist."""
    if depth > 3:
        return source
    pieces = [str(sandbox().get_template(name).source) for name in INCLUDE.findall(source)]
    return "\n".join([source, *(with_pieces(piece, depth + 1) for piece in pieces)])


def own_letter(step: str, wanted: Sequence[tuple[str, str]]) -> dict[str, Template]:
    """The desk's letters of a step by the file name they stand in for; wanted: (language, "" or cause)."""
    rows = LetterText.objects.filter(step=step, language__in={language for language, _ in wanted}).order_by("version")
    newest = {(row.language, row.cause): row for row in rows}
    found: dict[str, Template] = {}
    for key in wanted:
        row = newest.get(key)
        if row and row.source.strip():
            name = f"notices/{row.language}/{step}{'.' + row.cause if row.cause else ''}.txt"
            found[name] = compiled(row.source, name=name)
    return found


def preview(source: str, case: Case, facts: dict[str, object], *, language: str, step: str) -> Letter:
    """The letter as this case would get it now; nothing is stored. Raises NotALetter."""
    try:
        return read_letter(compiled(source, name=f"{language}/{step}").render(Context(facts, autoescape=False)))
    except (TemplateSyntaxError, TemplateDoesNotExist, BadLetter) as exc:
        raise NotALetter(f"the letter cannot be written for case {case.number}: {exc}") from exc
