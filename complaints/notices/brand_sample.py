"""A letter in a brand's name, of the newest case, to look at before customers do. No row is made of it."""

from __future__ import annotations

import dataclasses

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context

from complaints.models import Brand, Case
from complaints.notices.compose import as_html, facts_of, language_of, letter_for, without_number
from complaints.notices.letter import as_text, fill_link, read_letter
from complaints.notices.senders import Sender, as_sender


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    sender: Sender
    subject: str
    text: str
    html: str
    language: str


class NothingToShow(Exception):
    """There is no case yet that a letter could be about."""


def sample_letter(brand: Brand, *, language: str, step: str = "notify") -> Sample:
    """Its button leads to the desk's own address: a page that opens belongs to the customer alone."""
    case = Case.objects.filter(owner__brand=brand.name).order_by("-pk").first() or Case.objects.order_by("-pk").first()
    if case is None:
        raise NothingToShow("There is no case yet, so there is nothing to write about.")
    sender = as_sender(brand)
    template = letter_for(step, cause=case.cause, category=case.category, language=language)
    language = language_of(template)
    letter = read_letter(template.render(Context(facts_of(case, language, sender=sender), autoescape=False)))
    html = as_html(letter, language, number=case.number, sender=sender)
    subject, link = without_number(letter.subject, case.number), settings.BASE_URL
    return Sample(sender, subject, fill_link(as_text(letter), link), fill_link(html, link), language)


def sample_mail(sample: Sample, *, to: str) -> EmailMultiAlternatives:
    """As customers get it, but for the envelope: what comes back must not be taken for a case's."""
    mail = EmailMultiAlternatives(
        subject=f"Test: {sample.subject}",
        body=sample.text,
        from_email=sample.sender.email,
        to=[to],
        reply_to=[sample.sender.email],
        headers={
            "From": sample.sender.header,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Content-Language": sample.language,
        },
    )
    mail.attach_alternative(sample.html, "text/html")
    return mail
