"""manage.py report NAME --since D --until D --format csv|json: statistics of a period on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from complaints.reporting import load_reports
from complaints.reporting._export import UnknownFormat, exporter
from complaints.reporting._period import DEFAULT_DAYS, BadPeriod, read_period


class Command(BaseCommand):
    help = "Print a report: statistics of a period."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=f"which report: {', '.join(load_reports())}")
        parser.add_argument("--since", help=f"day or time, ISO 8601; default: {DEFAULT_DAYS} days before --until")
        parser.add_argument("--until", help="day (included) or time (not included); default: now")
        parser.add_argument("--format", default="csv", help="csv or json; xlsx, html and pdf are still to come")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = load_reports()
        report = reports.get(options["name"])
        if report is None:
            raise CommandError(f"no report {options['name']!r}: there is {', '.join(reports)}")
        zone = ZoneInfo(settings.DISPLAY_TIME_ZONE)
        try:
            export = exporter(options["format"])
            period = read_period(options["since"], options["until"], now=timezone.now(), zone=zone)
        except (UnknownFormat, BadPeriod) as exc:
            raise CommandError(str(exc)) from exc
        for piece in export(report.COLUMNS, report.rows(period.since, period.until)):
            self.stdout.write(piece, ending="")
