"""Complaints about addresses that are not ours, the newest first: whose they are, and whether the reporter knows.

Read in stretches by key. Within a stretch what one reporter says of one address is one row: a flood is one line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.desk import when, words
from complaints.desk.access import desk_page
from complaints.desk.lists import page_below
from complaints.models import Complaint, NetworkContact, ReporterMail
from complaints.notices.network_contacts import contacts_of
from complaints.notices.reporter_mail import mails_of
from complaints.vocabulary import Answer, Category

STRETCH = 200


@dataclasses.dataclass(slots=True)
class Row:
    """What one reporter says of one address, as far as it stands in this stretch. newest: the one that is answered."""

    newest: Complaint
    complaints: list[Complaint]
    contact: NetworkContact | None = None
    mail: ReporterMail | None = None

    @property
    def category(self) -> str:
        return words.CATEGORIES[Category(self.newest.category)]

    @property
    def mails(self) -> int:
        return len({complaint.message_id for complaint in self.complaints})

    @property
    def state(self) -> words.Word | None:
        return words.MAIL_STATES[ReporterMail.State(self.mail.state)] if self.mail else None


@desk_page
@require_GET
def not_ours_page(request: HttpRequest) -> HttpResponse:
    found = Complaint.objects.filter(answer=Answer.NOT_OURS.value).select_related("reporter").defer("evidence")
    complaints, more = page_below(found, "id", request.GET.get("below"), page=STRETCH)
    now = timezone.now()
    context: dict[str, Any] = {
        "nav": "unattributed",
        "tab": "not-ours",
        "rows": [(row, when.age(row.newest.received_at, now)) for row in rows_of(complaints, now=now)],
        "is_first": "below" not in request.GET,
        "next": f"?below={complaints[-1].pk}" if more else "",
        "looks_up": bool(settings.RDAP_URL),
        "by_machine": settings.NOT_OURS_REPLY,
    }
    return render(request, "desk/not_ours.html", context)


def rows_of(complaints: Sequence[Complaint], *, now: datetime) -> list[Row]:
    rows: dict[tuple[int | None, bytes, str], Row] = {}
    for complaint in complaints:
        key = (complaint.reporter_id, bytes(complaint.address), complaint.resource)
        rows.setdefault(key, Row(complaint, [])).complaints.append(complaint)
    contacts = contacts_of((address for _, address, _ in rows), now=now)
    told = mails_of(sorted({complaint.message_id for complaint in complaints}))
    for (_, address, _), row in rows.items():
        row.contact = contacts.get(address)
        mails = [told.get(each.message_id, {}).get(ReporterMail.Kind.NOT_OURS) for each in row.complaints]
        # One that went out says more than a younger one that was held back.
        sent = sorted((mail for mail in mails if mail), key=lambda mail: (mail.state != "withheld", mail.pk))
        row.mail = sent[-1] if sent else None
    return list(rows.values())
