"""The life of the simulated world: what its people, machines and systems do.

Verbs are the methods that memory's tasks name; clockwork.py carries them out. They touch the product only as the
outside world does: mail to its listener, visits to its pages, and the servers of places.py, which it comes to see.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from datetime import UTC, datetime

from complaints.demo.asked import Question, answer_mail, host_behind_port, read_question
from complaints.demo.browser import Browser
from complaints.demo.clockwork import Clockwork
from complaints.demo.colleagues import WHO, correct_lines, in_a_thread, propose_suspension
from complaints.demo.customers import Notice, react, read_notice
from complaints.demo.memory import Memory, Task
from complaints.demo.places import Endpoint, Places
from complaints.demo.post import hand_in
from complaints.demo.reporters import BY_ADDRESS, REPORTERS, STUCK, complaint_mail
from complaints.demo.rhythm import UNDERWAY_S, next_move, wanted_by_hand
from complaints.demo.spam import spam_from
from complaints.demo.story import STORY, STORY_ENDS
from complaints.demo.strays import STRAYS, Occasion
from complaints.demo.world import Host, World, corrected

log = logging.getLogger(__name__)
RUNS = 3  # of spam, while a trouble lasts
COPIES = 100  # that a reporter sends whose counter is stuck; the demo's limit of a minute is 40
VERBS = (
    "begin", "run", "report", "flood", "stray", "repair", "delist", "read", "answer", "tell",
    "propose", "correct", "wander",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """Where the product is, seen from outside."""

    site: str
    listener: Endpoint
    address: str


class Life(Clockwork):
    def __init__(self, world: World, memory: Memory, desk: Desk, *, pace: float = 1.0, wanders: bool = True) -> None:
        super().__init__(memory, VERBS, pace=pace)
        self.world, self.desk, self.wanders = world, desk, wanders
        self.places: Places
        self.notices: list[Notice] = []  # the youngest mails of the desk

    async def live(self, places: Places, stop: asyncio.Event) -> None:
        self.places = places
        self.wake_up()
        await self.go_on(stop)

    def wake_up(self) -> None:
        """Go on where the last run stopped, or begin the story."""
        memory, now = self.memory, time.time()
        for contract in sorted(memory.troubled):
            self.places.trouble(self.world.host_of(contract))
        for contract in sorted(memory.listed):
            self.places.list_host(self.world.host_of(contract))
        self.catch_up(now)
        if self.wanders and not memory.started:
            for second, verb, what in STORY:
                memory.plan(now + second * self.pace, verb, **{"kind" if verb == "stray" else "contract": what})
            memory.plan(now + STORY_ENDS * self.pace, "wander")
            memory.started = True
        memory.save()

    # -- what happens at the customers'

    async def begin(self, task: Task) -> None:
        host = self.host(task)
        self.memory.troubled.add(host.contract)
        self.memory.begun[host.contract] = time.time()
        self.places.trouble(host)
        if host.trouble.listed:
            self.memory.listed.add(host.contract)
            self.places.list_host(host)
        log.info("%s %s", owner(host), host.trouble.begins.format(address=host.address))
        self.plan(0.5, "run", contract=host.contract, left=RUNS)

    async def run(self, task: Task) -> None:
        """One run of spam: several reporters get the same mail, and write to us sooner or later."""
        host, rng = self.host(task), self.rng(task.number)
        if host.contract not in self.memory.troubled:
            return
        seen_at = int(time.time())
        delay = 0.0
        for reporter in rng.sample(REPORTERS, rng.choice((1, 2, 2, 3))):
            self.plan(delay, "report", contract=host.contract, reporter=reporter.address, run=task.number, at=seen_at)
            delay += rng.uniform(4, 15)
        if task.args["left"] > 1:
            self.plan(rng.uniform(70, 130), "run", contract=host.contract, left=task.args["left"] - 1)

    async def report(self, task: Task) -> None:
        host, reporter, number = self.host(task), BY_ADDRESS[task.args["reporter"]], task.args["run"]
        spam = spam_from(host, self.rng(number), seen_at=datetime.fromtimestamp(task.args["at"], UTC), number=number)
        mail = complaint_mail(reporter, spam, written_at=spam.seen_at, to=self.desk.address)
        await self.post(reporter.address, mail, reporter.peer)
        log.info("%s complains about spam from %s", reporter.name, host.address)

    async def stray(self, task: Task) -> None:
        at = datetime.fromtimestamp(int(task.due), UTC)
        occasion = Occasion(self.world, self.rng(task.number), at, task.number, self.desk.address)
        stray = STRAYS[task.args["kind"]](occasion)
        await self.post(stray.sender, stray.mail, stray.peer)
        log.info("other mail: %s", stray.about)

    async def flood(self, task: Task) -> None:
        host, rng = self.host(task), self.rng(task.number)
        seen_at = datetime.fromtimestamp(int(self.memory.begun.get(host.contract, task.due)), UTC)
        for copy in range(COPIES):
            spam = spam_from(host, rng, seen_at=seen_at, number=task.number * COPIES + copy)
            await self.post(
                STUCK.address, complaint_mail(STUCK, spam, written_at=seen_at, to=self.desk.address), STUCK.peer
            )
        log.info("%s tells %d times of spam from %s", STUCK.name, COPIES, host.address)

    async def repair(self, task: Task) -> None:
        host = self.host(task)
        if host.contract not in self.memory.troubled:
            return  # a reminder, and the work is done already
        self.memory.troubled.discard(host.contract)
        self.places.heal(host)
        log.info("%s %s is repaired", owner(host), "server" if host.trouble.healthy else "machine")
        self.plan(20, "delist", contract=host.contract)

    async def delist(self, task: Task) -> None:
        host = self.host(task)
        if host.contract in self.memory.troubled:
            return
        self.memory.listed.discard(host.contract)
        self.places.delist(host)

    # -- what the customers do with a mail

    def receive(self, recipient: str, raw: bytes) -> None:
        """A mail of the desk has come. Remembered before its 250, so a crash loses no customer's answer."""
        if question := read_question(raw, to=recipient):
            log.info("%s is asked for what she left out", question.reporter.name)
            return self.remember(6, "tell", **dataclasses.asdict(question) | {"reporter": recipient.lower()})
        resident = self.world.reader_of(recipient)
        notice = read_notice(raw, to=recipient, site=self.desk.site)
        if resident is None or notice is None:
            who = BY_ADDRESS[recipient].name if recipient in BY_ADDRESS else recipient
            log.info("%s gets a mail that asks for nothing", who)
            return
        self.notices = [*self.notices[-99:], notice]
        log.info("%s reads: %s", resident.name, notice.subject)
        for seconds, verb, args in react(resident.habit, notice, self.rng(self.memory.next_number())):
            self.plan(seconds, verb, contract=resident.contract, **args)
        if notice.step == "solved":
            self.memory.begun.pop(resident.contract, None)
            self.memory.solved[resident.contract] = time.time()
        self.memory.save()
        self.changed.set()

    def remember(self, seconds: float, verb: str, **args: object) -> None:
        self.plan(seconds, verb, **args)
        self.memory.save()

    async def tell(self, task: Task) -> None:
        """A reporter answers the desk's question by mail."""
        question = Question(**task.args | {"reporter": BY_ADDRESS[task.args["reporter"]]})
        host, at, to = host_behind_port(self.world), datetime.now(UTC), self.desk.address
        mail = answer_mail(question, host, written_at=at, number=task.number, to=to)
        await self.post(question.reporter.address, mail, question.reporter.peer)
        log.info("%s tells the port: %s", question.reporter.name, host.port)

    async def read(self, task: Task) -> None:
        await asyncio.to_thread(Browser(self.desk.site).open, task.args["link"])

    async def answer(self, task: Task) -> None:
        args = task.args
        await asyncio.to_thread(Browser(self.desk.site).answer, args["link"], args["answer"], args["text"])
        log.info("%s answers on the page: %s", self.host(task).resident.name, args["answer"])

    # -- what the ISP's own people and systems do

    async def propose(self, task: Task) -> None:
        contract = task.args["contract"]
        if await asyncio.to_thread(in_a_thread, propose_suspension, contract):
            log.info("%s, a senior of the desk, proposes to suspend the line of %s", WHO.capitalize(), contract)

    async def correct(self, task: Task) -> None:
        former = task.args["contract"]
        if former not in self.memory.corrected:
            world, lines = corrected(self.world, former)
            await asyncio.to_thread(in_a_thread, correct_lines, lines)
            self.world = world
            self.memory.corrected.add(former)
            log.info("the lease server corrects since when the address of %s was somebody else's", former)

    # -- afterwards

    async def wander(self, task: Task) -> None:
        """The gentle rhythm after the story; it never ends."""
        rng, now = self.rng(task.number), time.time()
        for contract in wanted_by_hand(self.world, self.memory, now):
            self.plan(rng.uniform(0, 5), "begin", contract=contract)
        verb, args = next_move(self.world, self.memory, rng, now)
        self.plan(rng.uniform(1, 6), verb, **args)
        self.plan(rng.uniform(25, 45), "wander")
        self.memory.begun = {each: at for each, at in self.memory.begun.items() if now - at < UNDERWAY_S}
        self.places.forget_traffic()

    def host(self, task: Task) -> Host:
        return self.world.host_of(task.args["contract"])

    async def post(self, sender: str, mail: bytes, peer: str) -> None:
        to, listener = self.desk.address, self.desk.listener
        await asyncio.to_thread(hand_in, listener, sender=sender, to=to, mail=mail, peer=peer)


def owner(host: Host) -> str:
    name = host.resident.name.partition(",")[0]
    return f"{name}'" if name.endswith("s") else f"{name}'s"
