"""The world as it goes on: troubles begin and end, spam runs, sources complain, customers read and act.

It touches the product as the outside world does: by mail, by pages, and by the servers and blacklists that checks ask.
"""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from complaints.checks import DnsblList
from complaints.demo.browser import PageProblem
from complaints.demo.customers import read_notice
from complaints.demo.dns_server import DnsServer
from complaints.demo.places import zones_of
from complaints.demo.simulation import noise
from complaints.demo.simulation.abuse import Abuse
from complaints.demo.simulation.agenda import Agenda
from complaints.demo.simulation.clock import VirtualClock
from complaints.demo.simulation.feed import Feed
from complaints.demo.simulation.habits import react
from complaints.demo.simulation.lines import Book, histories, place_in
from complaints.demo.simulation.mailbag import Mailbag
from complaints.demo.simulation.mails import TABLES, Report, answer_to, complaint
from complaints.demo.simulation.measures import AT_HOME, NOTICED, Network
from complaints.demo.simulation.network import Place, Serve
from complaints.demo.simulation.population import Customer, name_of, people
from complaints.demo.simulation.servers import Servers
from complaints.demo.simulation.sources import BUSY, Source, sources
from complaints.demo.simulation.troubles import Trouble, begins, cause_at
from complaints.demo.simulation.truth import Read, Told, Truth
from complaints.demo.simulation.visits import Visit
from complaints.demo.spam import MADE_UP_NAMES, SUBJECTS
from complaints.intake import Arrival
from complaints.models import Case, Complaint

STRANGERS = "198.51.100."
BEFORE, AFTER = timedelta(days=3), timedelta(days=2)  # histories reach further than the days that are played
RELAPSES_AFTER_H = (30.0, 200.0)
MOST_TRIES = 5
ANSWERS, KNOWS = 0.4, 0.75  # of the reporters who are asked; the others have logged no port


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    days: int
    customers: int
    sources: int
    start: datetime
    site: str
    desk: str
    strain: float = 1.0  # how many times more troubles than usual: for small worlds
    folder: Path | None = None  # where measures are ordered; None: no network is connected

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


class World(Agenda):
    """`go_on_until` the end; meanwhile `mailbag` holds the mails that are on their way to the desk."""

    def __init__(self, plan: Plan, clock: VirtualClock, lists: Sequence[DnsblList]) -> None:
        super().__init__(plan.seed, clock)
        self.plan, self.mailbag = plan, Mailbag()
        self.customers = people(plan.customers, seed=plan.seed)
        self.by_email = {each.email: each for each in self.customers}
        self.by_contract = {each.contract: each for each in self.customers}
        spans = histories(self.customers, seed=plan.seed, since=plan.start - BEFORE, until=plan.end + AFTER)
        self.book, self.feed = Book(spans), Feed(spans)
        self.sources = sources(plan.sources, seed=plan.seed)
        self.by_source = {each.email: each for each in self.sources}
        self.by_style = {style: [each for each in self.sources if each.style == style] for style in BUSY}
        self.truth = Truth()
        self.troubles: list[Trouble] = []
        self.at_customer: dict[str, list[Trouble]] = defaultdict(list)
        self.sinkholed: list[Abuse] = []
        self.lists = [each for each in lists if each.enabled]
        self.dns = DnsServer(zones=[zone for each in lists for zone in zones_of(each)])
        self.listed: dict[int, list[tuple[str, str]]] = {}
        self.servers = Servers(self)
        self.network = Network(plan.folder)
        self.pages: dict[str, str] = {}  # the page that a customer was last given, by contract
        for hour, customer in begins(self.customers, seed=plan.seed, days=plan.days, strain=plan.strain):
            self.plan_at(plan.start + timedelta(hours=hour), "begin", customer=customer)
        self.noise_rate = plan.customers * plan.strain * noise.PER_CUSTOMER_AND_DAY / 24  # an hour
        self.plan_in(1, "make_noise")
        self.plan_in(7, "send_tables")

    # -- troubles

    def trouble_of(self, contract: str, at: datetime | None = None) -> Trouble | None:
        at = at or self.clock.now()
        return next((each for each in self.at_customer[contract] if each.lasts(at)), None)

    def begin(self, customer: Customer, relapse_of: Trouble | None = None) -> None:
        now = self.clock.now()
        if self.trouble_of(customer.contract):
            return
        number = len(self.troubles) + 1
        dice = self.dice("trouble", number)
        cause = relapse_of.cause if relapse_of else cause_at(customer, dice)
        trouble = Trouble(number, customer, cause, now, relapse_of.host if relapse_of else dice.randint(2, 61), False)
        trouble.attacks = dice.random() < trouble.look.attacks
        trouble.relapse_of = relapse_of.number if relapse_of else None
        self.troubles.append(trouble)
        self.at_customer[customer.contract].append(trouble)
        self.plan_in(dice.uniform(0, 2), "run", trouble=trouble, dice=dice)
        self.plan_in(24 * dice.expovariate(1 / trouble.look.lasts_d), "repair", trouble=trouble, how="whole")
        if trouble.look.listed:
            self.plan_in(dice.uniform(2, 30), "list_on", trouble=trouble)

    def machine_of(self, trouble: Trouble) -> str | None:
        """The IPv4 address of the machine in trouble just now."""
        lines = self.book.lines_of(trouble.customer.contract, self.clock.now())
        return next((place_in(line.prefix, trouble.host) for line in lines if ":" not in line.prefix), None)

    def run(self, trouble: Trouble, dice: random.Random) -> None:
        """One run of spam, or of log-in tries: some who got it complain, sooner or later."""
        if trouble.ended is not None:
            return
        self.plan_in(max(0.3, dice.expovariate(1 / trouble.every_h)), "run", trouble=trouble, dice=dice)
        abuse = self.abuse_of(trouble, dice)
        if abuse is None:
            return  # the line is down just now
        if trouble.cause == "bot" and dice.random() < 0.5:
            self.note_sinkholed(dataclasses.replace(abuse, category="bot"))
        if self.network.stops(trouble.customer.contract, abuse):
            return
        if trouble.look.by_feed:
            self.note_sinkholed(abuse)
            return
        for reporter in self.who_complains(STYLES_OF.get(abuse.category, SPAM_STYLES), dice):
            self.tell(reporter, abuse, abuse.address, dice, kind="true")

    def note_sinkholed(self, abuse: Abuse) -> None:
        if not (abuse.contract and self.network.stops(abuse.contract, abuse)):
            self.sinkholed.append(abuse)

    def carry_out_orders(self) -> None:
        """What the desk had done to lines; whoever notices repairs, and says so on the page they were given."""
        for order in self.network.fresh_orders():
            customer, trouble = self.by_contract[order["contract"]], self.trouble_of(order["contract"])
            share, hours = NOTICED[order["kind"]][customer.kind not in AT_HOME]
            dice = self.dice("measure", order["contract"], order["kind"], self.clock.now())
            if order["lift"] or trouble is None or dice.random() > share:
                continue
            haste = dice.lognormvariate(0, 0.7)
            self.plan_in(hours * haste, "repair", trouble=trouble, how="whole")
            if link := self.pages.get(customer.contract):
                self.plan_in(
                    hours * haste + 1, "answer", link=link, answer="fixed", text="It was blocked; cleaned now."
                )

    def abuse_of(self, trouble: Trouble, dice: random.Random, at: datetime | None = None) -> Abuse | None:
        customer, now = trouble.customer, (at or self.clock.now()).replace(microsecond=0)
        lines = self.book.lines_of(customer.contract, now)
        if not lines:
            return None
        line = dice.choice(lines)
        address = place_in(line.prefix, trouble.host)
        port = dice.randint(line.port_first, line.port_last) if line.port_first and line.port_last else None
        if port is None:
            port = dice.randint(1024, 65535)
        attack = trouble.attacks and dice.random() < 0.6
        subject, sender = dice.choice(SUBJECTS)
        quirk = self.dice("quirk", customer.contract, trouble.host, trouble.cause).random()
        if own := OWN_SENDERS.get(trouble.cause, "") if quirk < 0.5 or trouble.cause == "bulk_mail" else "":
            sender = f"{own}@{customer.domain}"
        return Abuse(
            number=self.next_number(),
            contract=customer.contract,
            trouble=trouble.number,
            category="login_attack" if attack else trouble.look.category,
            path=trouble.look.path,
            address=address,
            port=port,
            at=now,
            name=name_of(customer, address),
            helo=dice.choice(MADE_UP_NAMES),
            stranger=f"{STRANGERS}{dice.randint(2, 250)}",
            subject=subject,
            sender=sender,
            quirk=quirk,
            url=f"http://{address}/secure/login.php" if trouble.cause == "harmful_content" else "",
        )

    def who_complains(self, styles: Sequence[str], dice: random.Random) -> list[Source]:
        count = min(1 + int(dice.expovariate(0.7)), 8)
        weights = [BUSY[style] * len(self.by_style[style]) for style in styles]
        chosen = dice.choices(styles, weights, k=count) if any(weights) else []
        found = [dice.choice(self.by_style[style]) for style in chosen]
        return list({each.number: each for each in found if not each.hostile}.values())

    def repair(self, trouble: Trouble, how: str) -> None:
        if trouble.ended is not None:
            return
        if how == "half" and not trouble.halves:
            trouble.halves = 1
            return
        trouble.ended = self.clock.now()
        dice = self.dice("after", trouble.number)
        self.plan_in(dice.uniform(1, 20), "delist", trouble=trouble)
        if trouble.customer.habit == "relapses" and trouble.relapse_of is None:
            self.plan_in(dice.uniform(*RELAPSES_AFTER_H), "begin", customer=trouble.customer, relapse_of=trouble)

    # -- blacklists

    def list_on(self, trouble: Trouble) -> None:
        dice = self.dice("listed", trouble.number)
        address = self.machine_of(trouble)
        if trouble.ended is not None or address is None:
            return
        rows = [
            (each.zone, str(code.first), code.meaning)
            for each in self.lists
            for code in each.codes[:4]
            if "ipv4" in each.families and code.causes == (trouble.look.listed,)
        ]
        for zone, code, meaning in {row[0]: row for row in rows if dice.random() < 0.6}.values():
            self.dns.list_address(zone, address, [code], meaning)
            self.listed.setdefault(trouble.number, []).append((zone, address))

    def delist(self, trouble: Trouble) -> None:
        for zone, address in self.listed.pop(trouble.number, []):
            self.dns.unlist_address(zone, address)

    # -- complaints

    def make_noise(self) -> None:
        dice = self.dice("noise", self.count)
        self.plan_in(dice.expovariate(self.noise_rate), "make_noise")
        if dice.random() < noise.OTHER_SHARE:
            sender, raw = noise.other_mail(self, dice)
            self.post_in(timedelta(0), Arrival(raw, "smtp", "203.0.113.9", sender, (self.plan.desk,)))
            return
        kind, chosen = noise.choose(self, dice)
        if chosen is not None:
            source, abuse, accused = chosen
            self.tell(source, abuse, accused, dice, kind=kind)

    def send_tables(self) -> None:
        """The daily feeds of sinkholes and scanners: each knows a part."""
        self.plan_in(24, "send_tables")
        seen, self.sinkholed = self.sinkholed, []
        for number, feed in enumerate(self.by_style["table"]):
            for late, category in enumerate(TABLES):
                rows = [each for each in seen if each.number % 4 == number % 4 and each.category == category][:500]
                if rows:
                    sent_at = self.clock.now() + timedelta(minutes=7 * number + 1, seconds=late)
                    self.send(feed, [self.told(feed, each, each.address, sent_at, "true") for each in rows], sent_at)

    def tell(self, reporter: Source, abuse: Abuse, accused: str, dice: random.Random, *, kind: str) -> None:
        sent_at = self.clock.now() + timedelta(hours=dice.uniform(*reporter.delays_h), seconds=2)
        self.send(reporter, [self.told(reporter, abuse, accused, sent_at, kind)], sent_at)

    def told(self, reporter: Source, abuse: Abuse, accused: str, sent_at: datetime, kind: str) -> Told:
        port = abuse.port if reporter.names_port else None
        return Told(abuse, reporter, accused, port, sent_at, kind, self.book.holder(accused, abuse.at, abuse.port))

    def send(self, reporter: Source, told: list[Told], sent_at: datetime) -> None:
        raw = complaint(reporter, [Report(each.abuse, each.accused, each.port) for each in told], sent_at=sent_at)
        peer = f"203.0.113.{reporter.number % 250 + 2}"
        arrival = Arrival(raw, "smtp", peer, reporter.email, (self.plan.desk,))
        self.mailbag.post(arrival, sent_at, told)

    def post_in(self, delay: timedelta, arrival: Arrival) -> None:
        """A mail for the desk that is no complaint."""
        self.mailbag.post(arrival, self.clock.now() + delay)

    def note_sent(self, told: Told, at: datetime) -> None:
        """It has reached the desk: from now on it counts."""
        self.truth.told.append(told)
        if told.kind == "true" and told.abuse.trouble:
            trouble = self.troubles[told.abuse.trouble - 1]
            trouble.told += 1
            trouble.first_told = trouble.first_told or at

    # -- the customers

    def receive(self, sender: str, to: str, raw: bytes) -> None:
        """A mail of the desk has come."""
        if to in self.by_source:
            self.be_asked(self.by_source[to], raw)
            return
        customer, now = self.by_email.get(to), self.clock.now()
        notice = read_notice(raw, to=to, site=self.plan.site)
        if notice is None:
            return
        trouble = self.trouble_of(customer.contract) if customer else None
        recent = customer is not None and any(
            each.ended is None or now - each.ended < timedelta(days=14) for each in self.at_customer[customer.contract]
        )
        dead = customer is None or customer.mailbox_is_dead
        contract = customer.contract if customer else None
        about = Complaint.objects.filter(case__in=Case.objects.numbered(notice.case)).values_list("message", flat=True)
        read = Read(now, to, contract, notice.case, notice.step, not dead, recent, frozenset(about))
        self.truth.read.append(read)
        if customer is None or dead:
            return
        self.pages[customer.contract] = notice.link
        dice = self.dice("notice", contract, notice.step, len(self.truth.read))
        for hours, verb, args in react(
            customer.habit, notice.step, has_trouble=trouble is not None, had_trouble=recent, dice=dice
        ):
            if verb == "repair":
                self.plan_in(hours, "repair", trouble=trouble, **args)
            else:
                self.plan_in(hours, verb, link=notice.link, **args)

    def read(self, link: str) -> None:
        try:
            Visit(self.plan.site).open(link)
        except PageProblem as exc:
            if not exc.is_final:  # else it was taken back meanwhile: it was not about them
                raise

    def answer(self, link: str, answer: str, text: str, tries: int = 0) -> None:
        try:
            Visit(self.plan.site).answer(link, answer, text)
        except PageProblem as exc:  # the case is closed already, or moved in that moment
            if not exc.is_final and tries < MOST_TRIES:
                self.plan_in(0.2, "answer", link=link, answer=answer, text=text, tries=tries + 1)

    # -- the sources, when they are asked

    def be_asked(self, source: Source, raw: bytes) -> None:
        """A mail of the desk to a reporter: some answer with what is missing, some answer something, most never."""
        question = message_from_bytes(raw)
        dice = self.dice("asked", source.number, len(self.truth.asked))
        self.truth.asked.append((self.clock.now(), source.number))
        text = text_of(question)
        meant = [told for told in self.truth.told if told.source is source and told.accused in text]
        if meant and dice.random() < ANSWERS:
            lines = lines_told(source, meant[-5:], knows=dice.random() < KNOWS)
            mail = answer_to(source, question, lines, at=self.clock.now())
            arrival = Arrival(mail, "smtp", "203.0.113.9", source.email, (self.plan.desk,))
            self.post_in(timedelta(hours=dice.uniform(1, 40)), arrival)

    # -- the Internet, as the checks see it

    def server(self, address: str, port: int) -> Serve | None:
        return self.servers.at(address, port)

    def datagram(self, to: Place, data: bytes) -> bytes | None:
        return self.dns.answer(data, 1232)

    def seconds(self) -> float:
        return self.clock.seconds()

    def next_arrival(self) -> float:
        return self.mailbag.next_probe()

    def passed(self, seconds: float) -> None:
        self.mailbag.hand_in_probes(seconds)


def text_of(mail: Message) -> str:
    plain = next((part for part in mail.walk() if part.get_content_type() == "text/plain"), mail)
    content = plain.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def lines_told(source: Source, told: Sequence[Told], *, knows: bool) -> list[str]:
    if not knows:
        return ["We are sorry, our server does not log that."]
    times = [source.clock(each.abuse.at).astimezone(UTC) for each in told]
    return [
        f"{each.accused}  {at:%Y-%m-%d %H:%M:%S} UTC  port {each.abuse.port}  TCP"
        for each, at in zip(told, times, strict=True)
    ]


STYLES_OF = {"login_attack": ("fail2ban", "words", "xarf"), "phishing": ("words", "xarf")}
OWN_SENDERS = {"bulk_mail": "news", "stolen_mailbox": "info", "web_script": "www-data"}  # by trouble: half of them
SPAM_STYLES = ("arf", "xarf", "spamcop", "words", "pasted")
