"""Campaigns: the complaints of one spam run, seen across customers. Found in the background, behind the filing.

Each complaint about our network is looked at once, in batches: its marks are looked up, and it joins the campaign that
has one of them, or begins one. Two campaigns that a complaint has in common become one, the older. When more comes
than can be looked at, the oldest of the backlog are passed over: a campaign is found by those that follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, Q

from complaints.cases.campaign_marks import LASTS, LIKE, Mark, alike, marks_of
from complaints.cases.positions import Overtaken, finish, next_stretch
from complaints.formats.evidence import Evidence, evidence_of
from complaints.models import Campaign, CampaignMark, CampaignMember, Complaint, Reading
from complaints.models.bulk import insert_rows, reserve_ids, update_rows
from complaints.vocabulary import Answer, Category

NAME = "campaigns"
BATCH = 500
BACKLOG = 50_000  # ids: what lies further behind is passed over
KINDS = frozenset({Category.SPAM, Category.PHISHING, Category.FRAUD, Category.MALWARE, Category.OTHER})
LONGEST_TEXT = 20_000
LARGE, SELDOM = 5_000, timedelta(hours=1)  # a large campaign is counted once an hour
FORGOTTEN = max(LASTS.values())
RECOUNTED = timedelta(days=7)


def find_campaigns(*, now: datetime, lag: timedelta | None = None, batch: int = BATCH) -> int:
    """Look at the next complaints; how many. Safe beside another worker: the second one's work is rolled back."""
    newest = Complaint.objects.aggregate(last=Max("pk"))["last"] or 0
    stretch = next_stretch(NAME, newest, now=now, begin=max(0, newest - BACKLOG), lag=lag)
    after = max(stretch.after, stretch.upto - BACKLOG)
    fresh = Complaint.objects.filter(pk__gt=after, pk__lte=stretch.upto).select_related("message")
    complaints = list(fresh.defer("attribution").order_by("pk")[:batch])
    upto = complaints[-1].pk if len(complaints) == batch else stretch.upto
    if upto == stretch.after:
        return 0
    marked = marks_of_all([each for each in complaints if may_belong(each)])
    try:
        with transaction.atomic():
            finish(stretch, upto=upto)
            touched = place_all(marked, now=now) if marked else set()
    except Overtaken:
        return 0
    count_again(touched, now=now)
    return len(complaints)


def may_belong(complaint: Complaint) -> bool:
    """About a mail from our network. What has no case yet may get one when its owner is known or there are enough."""
    in_question = complaint.answer != Answer.NOT_OURS and complaint.ruling != Complaint.Ruling.IGNORED
    return complaint.category in KINDS and in_question


Marked = list[tuple[Complaint, list[Mark]]]


def marks_of_all(complaints: Sequence[Complaint]) -> Marked:
    """Reads the mails: outside of any transaction."""
    alone = Reading.objects.filter(message__in={each.message_id for each in complaints}, complaint_count=1)
    with_text = set(alone.values_list("message_id", flat=True))  # of a report about hundreds no text is anybody's
    found = ((each, marks_of_complaint(each, with_text=each.message_id in with_text)) for each in complaints)
    return [(complaint, marks) for complaint, marks in found if marks]


def marks_of_complaint(complaint: Complaint, *, with_text: bool) -> list[Mark]:
    return marks_of(
        message_id=complaint.original_message_id,
        subject=complaint.subject,
        urls=complaint.evidence.get("reported_uris", ()),
        text=text_of(evidence_of(complaint.message.raw)) if with_text else "",
    )


def text_of(evidence: Evidence) -> str:
    """The first readable text of the mail complained about, where it came with the report."""
    for original in evidence.originals[:1]:
        texts = [each for each in original.texts if not each.name and each.content_type.startswith("text/")]
        return texts[0].text[:LONGEST_TEXT] if texts else ""
    return ""


def place_all(marked: Marked, *, now: datetime) -> set[int]:
    """Give each complaint its campaign; the ids of those concerned."""
    known = known_marks({mark.name for _, marks in marked for mark in marks}, now=now)
    homes = Homes(known)
    members = [(complaint, *homes.place(complaint.pk, marks)) for complaint, marks in marked]
    begun = begin_campaigns(homes, {complaint.pk: complaint for complaint, _ in marked})
    join_together(homes, begun)
    rows = [(complaint.pk, homes.final(home, begun), by) for complaint, home, by in members]
    there = set(CampaignMember.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", flat=True))
    insert_rows(CampaignMember, ("complaint_id", "campaign_id", "by"), [row for row in rows if row[0] not in there])
    write_marks(marked, members, homes, begun, known, now=now)
    return {campaign for _, campaign, _ in rows}


def known_marks(names: Iterable[str], *, now: datetime) -> dict[str, CampaignMark]:
    """Those that are still young enough to join."""
    wanted = sorted(names)
    found: dict[str, CampaignMark] = {}
    for start in range(0, len(wanted), BATCH):
        for row in CampaignMark.objects.filter(mark__in=wanted[start : start + BATCH]):
            if row.last_seen_at >= now - LASTS[row.mark.partition(":")[0]]:
                found[row.mark] = row
    return found


class Homes:
    """Which campaign each complaint of a batch belongs to: a stored one by its id, one to begin by minus its complaint.

    One that belongs to two makes them one: `heads` leads from each to the older.
    """

    def __init__(self, known: Mapping[str, CampaignMark]) -> None:
        self.of_mark = {name: row.campaign_id for name, row in known.items()}
        self.signatures = {name: row.signature for name, row in known.items()}
        self.heads: dict[int, int] = {}

    def place(self, complaint: int, marks: Sequence[Mark]) -> tuple[int, str]:
        """(its home, the kind of mark that it was known by, or "first")."""
        hits = [(self.head(self.of_mark[mark.name]), mark.kind) for mark in marks if self.is_hit(mark)]
        home = min((home for home, _ in hits), key=age_of, default=-complaint)
        for other, _ in hits:
            if other != home:
                self.heads[other] = home
        for mark in marks:
            self.of_mark.setdefault(mark.name, home)
            self.signatures.setdefault(mark.name, mark.signature)
        return home, hits[0][1] if hits else "first"

    def is_hit(self, mark: Mark) -> bool:
        if mark.name not in self.of_mark:
            return False
        return mark.kind != LIKE or alike(mark.signature, self.signatures[mark.name])

    def head(self, home: int) -> int:
        while home in self.heads:
            home = self.heads[home]
        return home

    def final(self, home: int, begun: Mapping[int, int]) -> int:
        head = self.head(home)
        return begun.get(head, head)


def age_of(home: int) -> tuple[bool, int]:
    """The oldest first: stored ones by their ids, then those to begin by their complaints'."""
    return home < 0, abs(home)


def begin_campaigns(homes: Homes, complaints: Mapping[int, Complaint]) -> dict[int, int]:
    """A row for each home that is not stored yet: its id by the home."""
    new = sorted({head for home in set(homes.of_mark.values()) if (head := homes.head(home)) < 0}, reverse=True)
    ids = reserve_ids(Campaign, len(new))
    rows = []
    for home, pk in zip(new, ids, strict=False):
        first = complaints[-home]
        rows.append((pk, first.subject, first.seen_at, first.seen_at, 0, 0, 0, 0))
    columns = ("id", "subject", "first_seen_at", "last_seen_at")
    insert_rows(Campaign, (*columns, "complaint_count", "case_count", "customer_count", "reporter_count"), rows)
    return dict(zip(new, ids, strict=False))


def join_together(homes: Homes, begun: Mapping[int, int]) -> None:
    """Stored campaigns that turned out to be one."""
    for was in [home for home in homes.heads if home > 0]:
        become = homes.final(was, begun)
        CampaignMember.objects.filter(campaign=was).update(campaign=become)
        CampaignMark.objects.filter(campaign=was).update(campaign=become)
        empty = {"complaint_count": 0, "case_count": 0, "customer_count": 0, "reporter_count": 0}
        Campaign.objects.filter(pk=was).update(merged_into=become, **empty)


def write_marks(
    marked: Marked, members: Sequence[tuple[Complaint, int, str]], homes: Homes, begun: Mapping[int, int],
    known: Mapping[str, CampaignMark], *, now: datetime,
) -> None:  # fmt: skip
    """New marks, and those that are seen again."""
    home_of = {complaint.pk: home for complaint, home, _ in members}
    rows: dict[str, tuple[str, int, str, datetime]] = {}
    for complaint, marks in marked:
        for mark in marks:
            if mark.name not in known:
                campaign = homes.final(home_of[complaint.pk], begun)
                rows.setdefault(mark.name, (mark.name, campaign, mark.signature, now))
    CampaignMark.objects.filter(pk__in=[row.pk for row in known.values()]).update(last_seen_at=now)
    stale = CampaignMark.objects.filter(mark__in=list(rows))  # too old to join: it begins anew
    stale.delete()
    insert_rows(CampaignMark, ("mark", "campaign_id", "signature", "last_seen_at"), rows.values())


def count_again(ids: Iterable[int], *, now: datetime) -> None:
    """What the rows of these campaigns say of their complaints; a large one's not more often than SELDOM."""
    due = Q(complaint_count__lt=LARGE) | Q(counted_at=None) | Q(counted_at__lt=now - SELDOM)
    wanted = list(Campaign.objects.filter(due, pk__in=list(ids)).values_list("pk", flat=True))
    counted = CampaignMember.objects.filter(campaign__in=wanted).order_by().values_list("campaign")
    rows = counted.annotate(
        n=Count("pk"), cases=Count("complaint__case", distinct=True),
        customers=Count("complaint__contract__customer", distinct=True),
        reporters=Count("complaint__reporter", distinct=True),
        first=Min("complaint__seen_at"), last=Max("complaint__seen_at"),
    )  # fmt: skip
    columns = ("complaint_count", "case_count", "customer_count", "reporter_count", "first_seen_at", "last_seen_at")
    update_rows(Campaign, "id", (*columns, "counted_at"), [(*row, now) for row in rows])


def recount_campaigns(*, now: datetime, most: int = 2_000) -> int:
    """Once a night: complaints of these days may have come to another case, or to one at all; how many were counted."""
    young = Campaign.objects.filter(merged_into=None, last_seen_at__gt=now - RECOUNTED).order_by("-last_seen_at")
    ids = list(young.values_list("pk", flat=True)[:most])
    for start in range(0, len(ids), BATCH):
        count_again(ids[start : start + BATCH], now=now)
    return len(ids)


def forget_campaigns(*, now: datetime, most: int = 20_000) -> int:
    """Once a night: marks of weeks ago, and what never became more than one complaint. Returns the marks forgotten."""
    old = CampaignMark.objects.filter(last_seen_at__lt=now - FORGOTTEN).order_by("last_seen_at")
    ids = list(old.values_list("pk", flat=True)[:most])
    campaigns: dict[int, int] = defaultdict(int)
    for start in range(0, len(ids), BATCH):
        rows = CampaignMark.objects.filter(pk__in=ids[start : start + BATCH])
        for campaign in rows.values_list("campaign", flat=True):
            campaigns[campaign] += 1
        rows.delete()
    lonely = Campaign.objects.filter(complaint_count__lte=1, merged_into=None, last_seen_at__lt=now - FORGOTTEN)
    for start in range(0, len(found := sorted(campaigns)), BATCH):
        gone = lonely.filter(pk__in=found[start : start + BATCH]).exclude(marks__isnull=False)
        pks = list(gone.values_list("pk", flat=True))
        CampaignMember.objects.filter(campaign__in=pks).delete()
        Campaign.objects.filter(pk__in=pks, marks=None).exclude(pk__in=pointed_to(pks)).delete()
    return len(ids)


def pointed_to(pks: Sequence[int]) -> list[int]:
    found = Campaign.objects.filter(merged_into__in=pks).values_list("merged_into", flat=True)
    return [pk for pk in found if pk is not None]
