"""What the ISP's own systems tell the desk of lines and customers: files for the imports, as time goes by. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from complaints.demo.simulation.lines import NETWORKS, Span
from complaints.demo.simulation.population import PRODUCTS, Customer
from complaints.demo.world import CSV_COLUMNS, csv_text

Row = tuple[object, ...]


def network_rows() -> list[Row]:
    return list(NETWORKS)


def contract_rows(customers: Sequence[Customer]) -> list[Row]:
    return [
        (c.contract, c.number, c.name, PRODUCTS[c.kind], "", c.contact, c.email, "holder", c.language)
        for c in customers
    ]


class Feed:
    """Begins and ends of spans in the order in which they become known."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        begins = [(span.since + span.begin_lag, number) for number, span in enumerate(spans)]
        ends = [(span.until + span.end_lag, number) for number, span in enumerate(spans) if span.until]
        self.news = sorted([*begins, *ends])
        self.read = 0

    def rows_until(self, now: datetime) -> list[Row]:
        """What became known since the last call: ends of what was told before, and begins, as a system exports them."""
        first = self.read
        while self.read < len(self.news) and self.news[self.read][0] <= now:
            self.read += 1
        fresh = dict.fromkeys(number for _, number in self.news[first : self.read])
        return [self.row(self.as_told(self.spans[number], now)) for number in fresh]

    def rows_left(self, end: datetime) -> list[Row]:
        """What was so by `end` and was not told by then."""
        left = dict.fromkeys(number for _, number in self.news[self.read :])
        begun = (self.spans[number] for number in left if self.spans[number].since <= end)
        told = ((span, self.as_told(span, end), as_it_was(span, end)) for span in begun)
        return [self.row(true) for span, known, true in told if known != true or span.since + span.begin_lag > end]

    @staticmethod
    def holder_as_told(span_of: Iterable[Span], at: datetime, port: int | None, now: datetime) -> str | None:
        """Of spans on one prefix: who held it at `at` by what the systems have told until `now`."""
        told = [span for span in span_of if span.since + span.begin_lag <= now and span.has_port(port)]
        return next((span.contract for span in told if Feed.as_told(span, now).covers(at)), None)

    @staticmethod
    def as_told(span: Span, now: datetime) -> Span:
        ended = span.until is not None and span.until + span.end_lag <= now
        return span if ended else dataclasses.replace(span, until=None)

    @staticmethod
    def row(span: Span) -> Row:
        return (
            span.contract,
            span.prefix,
            span.kind,
            span.since.isoformat(),
            span.until.isoformat() if span.until else "",
            "" if span.port_first is None else span.port_first,
            "" if span.port_last is None else span.port_last,
        )


def as_it_was(span: Span, now: datetime) -> Span:
    return dataclasses.replace(span, until=span.until if span.until and span.until <= now else None)


def as_csv(kind: str, rows: Sequence[Row]) -> list[str]:
    """Lines of the file of that kind."""
    return csv_text([CSV_COLUMNS[kind].split(","), *rows]).splitlines(keepends=True)
