"""Can a contract be told? What is known against its contacts: mails that came back, domains that take none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from complaints.adapters.mail_domains import REFUSES, TAKES, UNKNOWN, Finding, takes_mail
from complaints.models import Contact, Contract, MailDomain
from complaints.models.text import storable

FRESH = {TAKES: timedelta(days=1), REFUSES: timedelta(hours=1), UNKNOWN: timedelta(minutes=1)}
TIMEOUT_S = 3.0  # a question, of which there are at most six a domain
DOMAINS_AT_ONCE = 10
MOST_DOMAINS = 20  # one click of a person
Problem = Contact.Problem


def check_contacts(contract: Contract, *, now: datetime) -> list[MailDomain]:
    """Ask the DNS whether the domains of the contract's contacts take mail, and note it on them.

    Unknown changes nothing. Asks outside of any transaction; a domain that was asked lately is not asked again.
    """
    domains = sorted({domain_of(email) for email in contract.contacts.values_list("email", flat=True)})[:MOST_DOMAINS]
    known = {each.name: each for each in MailDomain.objects.filter(name__in=domains)}
    asked = [name for name in domains if name not in known or not is_fresh(known[name], now)]
    with ThreadPoolExecutor(DOMAINS_AT_ONCE) as pool:
        found = list(pool.map(look_up, asked))
    for name, finding in zip(asked, found, strict=True):
        said = {"verdict": finding.verdict, "reason": storable(finding.reason, 300), "checked_at": now}
        known[name], _ = MailDomain.objects.update_or_create(name=name, defaults=said)
    with transaction.atomic():
        for domain in known.values():
            note_domain(contract, domain)
    return [known[name] for name in domains]


def look_up(domain: str) -> Finding:
    return takes_mail(domain, resolvers=settings.DNS_RESOLVERS, timeout_s=TIMEOUT_S)


def is_fresh(domain: MailDomain, now: datetime) -> bool:
    return domain.checked_at > now - FRESH[domain.verdict]


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].lower()


def note_domain(contract: Contract, domain: MailDomain) -> None:
    contacts = contract.contacts.filter(email__iendswith=f"@{domain.name}")
    if domain.verdict == REFUSES:
        note(contacts.filter(problem=""), Problem.UNDELIVERABLE, domain.reason, at=domain.checked_at)
    elif domain.verdict == TAKES:
        note(contacts.filter(problem=Problem.UNDELIVERABLE))


def note_bounced(email: str, *, reason: str, now: datetime) -> None:
    """A mail to this address came back for good. Safe to repeat."""
    with transaction.atomic():
        note(Contact.objects.filter(email=email).exclude(problem=Problem.BOUNCED), Problem.BOUNCED, reason, at=now)


def works_again(contact: Contact) -> None:
    """A person says so: the next mail will tell."""
    with transaction.atomic():
        note(Contact.objects.filter(pk=contact.pk))


def note(contacts: QuerySet[Contact], problem: str = "", reason: str = "", *, at: datetime | None = None) -> None:
    concerned = list(contacts.values_list("pk", "contract_id"))
    Contact.objects.filter(pk__in=[pk for pk, _ in concerned]).update(
        problem=problem, problem_at=at, problem_reason=storable(reason, 500)
    )
    Contract.objects.filter(pk__in={contract for _, contract in concerned}).note_reachable()
