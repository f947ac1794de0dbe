"""A rise that no case tells of becomes a task: of the whole network, of a product, of a line's mail without a case.

What a line is complained about stands in its case. That it sends much is no news, a newsletter does so; that its mail
fails or piles up is, and nobody else may have noticed. The tasks end with their rises, or when a person says so.
"""

from __future__ import annotations

from datetime import datetime

from complaints.cases.rise_causes import causes_of
from complaints.cases.tallies import Kind, Metric
from complaints.cases.tasks import end_task, open_task
from complaints.cases.transitions import MACHINE
from complaints.models import Case, Contract, DeskTask, Product, Rise

TASK = "rise"
URL = "/watch"
# At most so many tasks of a kind at once: the page of the watch has them all.
MOST: dict[str, int] = {Kind.ALL: 1, Kind.PRODUCT: 5, Kind.CONTRACT: 10}
ALARMING = frozenset({Metric.QUEUE, Metric.FAILED})  # of a line's mail
WHAT: dict[str, str] = {
    Metric.COMPLAINTS: "complaints",
    Metric.QUEUE: "mails in the queue",
    Metric.FAILED: "failed deliveries",
}


def tell_rise(rise: Rise, *, now: datetime) -> DeskTask | None:
    """Inside the transaction that notes the rise."""
    if (
        not needs_a_person(rise)
        or DeskTask.objects.filter(kind=TASK, done_at=None, key__startswith=f"{rise.kind}:").count() >= MOST[rise.kind]
    ):
        return None
    what = WHAT[rise.metric]
    return open_task(
        TASK, key_of(rise), actor=MACHINE, now=now, url=URL,
        title=f"Far more {what} than usual: {name_of(rise)}",
        text=f"{rise.value:,} since {rise.began_at:%Y-%m-%d %H:%M} UTC, where {rise.usual:,.0f} are usual and up to"
        f" {rise.most:,.0f} would be expected.{why(rise, now)} It ends by itself when it has been back within the"
        " expected for six hours.",
    )  # fmt: skip


def needs_a_person(rise: Rise) -> bool:
    if rise.kind != Kind.CONTRACT:
        return True
    return rise.metric in ALARMING and not Case.objects.active().filter(contract=rise.ref).exists()


def end_told(*, now: datetime) -> None:
    """The tasks of rises that have ended, however they ended."""
    told = dict(DeskTask.objects.filter(kind=TASK, done_at=None).values_list("key", "pk"))
    if not told:
        return
    going = {key_of(rise) for rise in Rise.objects.filter(ended_at=None).only("kind", "ref", "metric")}
    for key in sorted(told.keys() - going):
        end_task(TASK, key, actor=MACHINE, now=now)


def key_of(rise: Rise) -> str:
    return f"{rise.kind}:{rise.ref}:{rise.metric}"


def name_of(rise: Rise) -> str:
    if rise.kind == Kind.ALL:
        return "the whole network"
    if rise.kind == Kind.PRODUCT:
        product = Product.objects.filter(pk=rise.ref).first()
        return f"product {product}" if product else "a product"
    contract = Contract.objects.select_related("customer").filter(pk=rise.ref).first()
    return f"contract {contract} of {contract.customer}" if contract else "a contract"


def why(rise: Rise, now: datetime) -> str:
    """Who makes most of it, in a sentence or two."""
    causes = causes_of(rise.kind, rise.ref, now=now) if rise.metric == Metric.COMPLAINTS else []
    told = [f"{each.name} {each.n:,} (usually {each.usual:,.0f})" for each in causes]
    return f" Most of it today: {'; '.join(told)}." if told else ""
