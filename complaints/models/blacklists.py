"""Blacklists: the catalogue, how each list fares, what it says of our addresses, and how far the sweeps are."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db import models
from django.db.models import Q

from complaints.addresses import prefix_text
from complaints.checks import ENTRY_FIELDS, DnsblList, read_entry
from complaints.models.cases import Case

FAMILY_CHOICES = [(4, "IPv4"), (6, "IPv6")]


class Blacklist(models.Model):
    """One list of the catalogue, as this site asks it. `shipped` is what the product's own catalogue says of it."""

    name = models.SlugField(max_length=40, unique=True, help_text="Short name, as it stands on cases: spamhaus-zen")
    zone = models.CharField(max_length=180, unique=True, help_text="DNS zone, without the last dot")
    zone6 = models.CharField(max_length=180, blank=True, help_text="Zone for IPv6, where it is another one")
    key = models.CharField(
        max_length=80, blank=True, help_text="Your key, put before the zone (KEY.zone). Never shown outside this page"
    )
    families = models.JSONField(default=list, help_text="What may be asked: ipv4, ipv6")
    six_by = models.PositiveSmallIntegerField(
        default=128, choices=[(128, "single addresses"), (64, "/64 networks")], help_text="What it lists of IPv6"
    )
    answers = models.CharField(
        max_length=5,
        default="codes",
        choices=[("codes", "codes: each answer has its meaning"), ("bits", "bits: of the last number, added up")],
    )
    codes = models.JSONField(default=dict, help_text="Answers with meaning and causes")
    errors = models.JSONField(default=dict, blank=True, help_text="Answers that mean “we do not serve you”")
    cause = models.CharField(max_length=20, default="reputation", help_text="Cause of an answer without explanation")
    weight = models.FloatField(default=0.5, help_text="0 to 1: how much one listing says about the line itself")
    delisting = models.CharField(max_length=300, blank=True, help_text="Page where delisting is asked for")
    how = models.TextField(blank=True, help_text="How an address gets out")
    who = models.CharField(max_length=200, blank=True, help_text="Who may ask for it")
    per_second = models.FloatField(default=20, help_text="Questions a second, all processes together; 0: no limit")
    per_day = models.PositiveIntegerField(default=100_000, help_text="Questions a day (UTC); 0: no limit")
    in_flight = models.PositiveSmallIntegerField(default=20, help_text="Questions under way at once in one process")
    enabled = models.BooleanField(default=True)
    note = models.TextField(blank=True)
    source = models.TextField(blank=True, help_text="Where these facts are published")
    shipped = models.JSONField(default=dict, editable=False, help_text="The shipped entry; empty: a list of your own")
    withdrawn = models.BooleanField(default=False, editable=False, help_text="Was shipped once and is not any more")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def entry(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ENTRY_FIELDS}

    def as_list(self) -> DnsblList:
        """For the checks. Raises BadCatalogue when a row was spoilt from outside."""
        return dataclasses.replace(read_entry(self.entry, f"blacklist {self.name}"), key=self.key)

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What this site has changed: (shipped, here) by field."""
        here = self.entry
        return {name: (value, here[name]) for name, value in self.shipped.items() if here.get(name) != value}


class ListHealth(models.Model):
    """The last self-test (RFC 5782 section 5) of a list, for one IP family. Shared by all processes."""

    blacklist = models.ForeignKey(Blacklist, on_delete=models.CASCADE, related_name="health")
    family = models.PositiveSmallIntegerField(choices=FAMILY_CHOICES)
    tested_at = models.DateTimeField(help_text="When it was tested last")
    passed_at = models.DateTimeField(null=True, help_text="When it passed last")
    problem = models.TextField(blank=True, help_text="Why its answers do not count now; empty: it passed")
    failures = models.PositiveIntegerField(default=0, help_text="Failed tests in a row")
    parked_since = models.DateTimeField(null=True, help_text="Since when the desk is asked to look at it")
    test_at = models.DateTimeField(help_text="When it is tested next")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blacklist", "family"], name="list_health_once")]

    def __str__(self) -> str:
        return f"{self.blacklist} IPv{self.family}"


class ListUse(models.Model):
    """Questions put to a list on one day (UTC): the budget that all processes share."""

    blacklist = models.ForeignKey(Blacklist, on_delete=models.CASCADE, related_name="uses", db_index=False)
    day = models.DateField()
    asked = models.PositiveIntegerField(default=0, help_text="Questions reserved or asked")
    free_at = models.FloatField(default=0, help_text="Seconds since 1970: before it, the rate forbids a question")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blacklist", "day"], name="list_use_once")]

    def __str__(self) -> str:
        return f"{self.blacklist} {self.day}"


class ListAnswer(models.Model):
    """An answer that is still good by its TTL. Rows past `expires_at` mean nothing and are swept."""

    blacklist = models.ForeignKey(Blacklist, on_delete=models.CASCADE, db_index=False, related_name="+")
    key = models.BinaryField(max_length=17, help_text="Prefix key of what was asked: an address, or a /64")
    codes = models.JSONField(default=list, help_text="The addresses in the answer; empty: not listed")
    text = models.CharField(max_length=512, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blacklist", "key"], name="list_answer_once")]
        indexes = [models.Index(fields=["expires_at"], name="list_answer_expires")]

    def __str__(self) -> str:
        return f"{self.blacklist_id} {prefix_text(self.key)}"


class Listing(models.Model):
    """An address or prefix of ours on a list, from `first_seen_at` until it was gone. One row an episode."""

    class Source(models.TextChoices):
        DNS = "dns"
        FILE = "file"

    blacklist = models.ForeignKey(Blacklist, on_delete=models.PROTECT, related_name="listings", db_index=False)
    key = models.BinaryField(max_length=17, help_text="Prefix key: /32 or /128 for one address")
    source = models.CharField(max_length=4, choices=Source.choices, default=Source.DNS)
    status = models.CharField(max_length=10, help_text="listed, or policy: held against nobody")
    codes = models.JSONField(default=list)
    meaning = models.TextField(blank=True)
    causes = models.JSONField(default=list)
    text = models.CharField(max_length=512, blank=True, help_text="The list's own words (TXT)")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="When the list was first seen not to name it any more")
    look_at = models.DateTimeField(null=True, help_text="When it is asked again, while it is not gone")
    asked_at = models.DateTimeField(null=True, help_text="When somebody asked the list to take it out")
    asked_by = models.CharField(max_length=150, blank=True, help_text="A user name, or customer")
    case = models.ForeignKey(
        Case, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False, help_text="The case it opened"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["blacklist", "key", "source"], condition=Q(gone_at__isnull=True), name="listing_one_now"
            )
        ]
        indexes = [
            models.Index(fields=["key", "first_seen_at"], name="listing_key"),
            models.Index(fields=["blacklist", "-id"], name="listing_now", condition=Q(gone_at__isnull=True)),
            models.Index(fields=["look_at"], name="listing_look", condition=Q(gone_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} on {self.blacklist_id}"

    @property
    def prefix(self) -> str:
        """One address without its length, else the prefix."""
        text = prefix_text(self.key)
        return text.removesuffix("/32" if len(self.key) == 5 else "/128")


class ListSweep(models.Model):
    """How far the sweep of our addresses has come with one list. Resumable: the place is in the row."""

    blacklist = models.OneToOneField(Blacklist, on_delete=models.CASCADE, related_name="sweep")
    round_started_at = models.DateTimeField(null=True, help_text="Of the round under way")
    round_ended_at = models.DateTimeField(null=True, help_text="Of the last whole round")
    last_round_at = models.DateTimeField(null=True, help_text="When the last whole round began")
    key = models.BinaryField(max_length=17, default=b"", help_text="Prefix key of the assignment it stands in")
    offset = models.PositiveBigIntegerField(default=0, help_text="Addresses of that prefix already asked")
    done = models.PositiveBigIntegerField(default=0, help_text="Addresses asked in this round")
    total = models.PositiveBigIntegerField(default=0, help_text="Addresses to ask in this round, counted at its start")
    next_at = models.DateTimeField(null=True, help_text="Not before; moved on by whoever takes the next portion")
    held = models.TextField(blank=True, help_text="Why what it found is kept back until somebody looks; empty: nothing")
    file_at = models.DateTimeField(null=True, help_text="When a zone file of this list was taken in last")
    file_entries = models.PositiveIntegerField(default=0, help_text="Entries of that file")

    def __str__(self) -> str:
        return f"sweep by {self.blacklist}"
