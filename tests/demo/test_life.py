"""The world lives: it complains to a real listener, reads real mail, presses a real form's button."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from smtplib import SMTP
from typing import Any
from urllib.parse import parse_qsl

import pytest

from complaints.demo.browser import Browser, PageProblem
from complaints.demo.customers import read_notice
from complaints.demo.life import Desk, Life
from complaints.demo.memory import Memory, Task
from complaints.demo.places import Places, PlaceTaken
from complaints.demo.rhythm import BY_HAND, UNDERWAY_S, next_move, wanted_by_hand
from complaints.demo.small import SmallWorld
from complaints.demo.world import build_world
from complaints.formats.reading import read_message
from tests.factories import NOON
from tests.services.smtp import Sink

TOKEN = "a" * 43
FORMS = """<html><form method="post" action="/p/{token}/answer">
<input type="hidden" name="csrf" value="{csrf}"><input type="hidden" name="kind" value="{kind}">{more}
<button type="submit">Press</button></form>{next}</html>"""
TEXT = '<textarea name="text"></textarea><input type="checkbox" name="confirm" value="1">'


class Page(BaseHTTPRequestHandler):
    """A portal page of two forms that wants its cookie and its token back."""

    visits: list[tuple[str, str, list[tuple[str, str]]]]

    def do_GET(self) -> None:
        self.visits.append(("GET", self.path, []))
        second = FORMS.format(token=TOKEN, csrf="s3cret", kind="not_me", more=TEXT, next="")
        page = FORMS.format(token=TOKEN, csrf="s3cret", kind="fixed", more="", next=second).encode()
        self.send_response(200 if TOKEN in self.path else 404)
        self.send_header("Set-Cookie", "csrftoken=s3cret; Path=/")
        self.end_headers()
        self.wfile.write(page)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.visits.append(("POST", self.path, parse_qsl(body, keep_blank_values=True)))
        self.send_response(303 if "csrftoken=s3cret" in self.headers.get("Cookie", "") else 403)
        self.send_header("Location", f"/p/{TOKEN}#now")
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


@contextlib.contextmanager
def portal() -> Iterator[tuple[str, list]]:
    visits: list = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (Page,), {"visits": visits}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", visits
    server.shutdown()
    server.server_close()
    thread.join()


def letter(site: str, step: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "abuse@isp.example", "nora@atelier-brenn.example"
    mail["Subject"] = "Strangers are sending mail through your server"
    mail["Message-ID"] = f"<case-12.{step}-1.0123456789abcdef@isp.example>"
    text = f"Hello José,\n\nthis mail leads to {site} and nothing else.\n\nOpen your page:\n{site}/p/{TOKEN}\n"
    mail.set_content(text, cte="8bit")
    mail.add_alternative("<p>the same</p>", subtype="html")
    return mail.as_bytes()


def deliver(world: SmallWorld, raw: bytes) -> None:
    with SMTP(*world.mailbox, timeout=30) as smtp:
        smtp.sendmail("abuse@isp.example", ["nora@atelier-brenn.example"], raw)


def eventually(asked, *, within_s: float = 40.0) -> None:
    until = time.monotonic() + within_s
    while not asked():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def small(site: str, sink: Sink, free_port: int, **given: Any) -> SmallWorld:
    desk = Desk(site, (sink.host, sink.port), "abuse@isp.example")
    return SmallWorld(desk, relay_port=free_port, pace=0.02, **given)


def test_trouble_opens_the_relay_and_brings_a_complaint_that_names_it(smtp_sink, free_port):
    with portal() as (site, _), small(site, smtp_sink, free_port) as world:
        world.begin()
        eventually(lambda: smtp_sink.messages)

        assert world.places.servers["C-1"].behaviour == "open"
        [complaint] = read_message(smtp_sink.messages[0].raw).complaints
        assert complaint.source_ip == "127.77.0.25"
        assert smtp_sink.messages[0].rcpt_tos == ["abuse@isp.example"]


def test_open_relay_hands_mail_on_to_the_listener(smtp_sink, free_port):
    with portal() as (site, _), small(site, smtp_sink, free_port, habit="asleep") as world:
        world.begin()
        eventually(lambda: world.places.servers["C-1"].behaviour == "open")
        with SMTP("127.77.0.25", free_port, timeout=30) as smtp:
            smtp.sendmail("a@outside.example", ["probe@probe.isp.example"], b"Subject: probe\r\n\r\nhello\r\n")

        eventually(lambda: any(m.rcpt_tos == ["probe@probe.isp.example"] for m in smtp_sink.messages))


def test_quick_customer_reads_repairs_and_presses_the_button(smtp_sink, free_port):
    with portal() as (site, visits), small(site, smtp_sink, free_port) as world:
        world.begin()
        eventually(lambda: world.places.servers["C-1"].behaviour == "open")
        deliver(world, letter(site, "notify"))
        eventually(lambda: [visit for visit in visits if visit[0] == "POST"])

        assert world.wait_for_notice("notify").link == f"{site}/p/{TOKEN}"
        assert world.places.servers["C-1"].behaviour == "closed"
        [posted] = [visit for visit in visits if visit[0] == "POST"]
        assert posted == ("POST", f"/p/{TOKEN}/answer", [("csrf", "s3cret"), ("kind", "fixed")])


def test_customer_who_leaves_the_button_repairs_and_visits_nothing(smtp_sink, free_port):
    with portal() as (site, visits), small(site, smtp_sink, free_port, habit="by_hand") as world:
        world.begin()
        eventually(lambda: world.places.servers["C-1"].behaviour == "open")
        deliver(world, letter(site, "notify"))
        eventually(lambda: world.places.servers["C-1"].behaviour == "closed")
        eventually(lambda: not world.memory.listed)  # the last thing that happens after a repair

        assert visits == []


def test_customer_who_presses_too_early_repairs_after_the_second_mail(smtp_sink, free_port):
    with (
        portal() as (site, visits),
        small(site, smtp_sink, free_port, habit="presses_without_fixing") as world,
    ):
        world.begin()
        eventually(lambda: world.places.servers["C-1"].behaviour == "open")
        deliver(world, letter(site, "notify"))
        eventually(lambda: len([visit for visit in visits if visit[0] == "POST"]) == 1)
        assert world.places.servers["C-1"].behaviour == "open"

        deliver(world, letter(site, "still_open"))
        eventually(lambda: len([visit for visit in visits if visit[0] == "POST"]) == 2)
        assert world.places.servers["C-1"].behaviour == "closed"


def test_customer_who_disputes_ticks_the_box_and_writes_why(smtp_sink, free_port):
    with portal() as (site, visits), small(site, smtp_sink, free_port, habit="disputes") as world:
        deliver(world, letter(site, "notify"))
        eventually(lambda: [visit for visit in visits if visit[0] == "POST"])

        fields = dict(next(visit for visit in visits if visit[0] == "POST")[2])
        assert (fields["kind"], fields["confirm"]) == ("not_me", "1")
        assert fields["text"] != ""


def test_bot_is_listed_while_it_lasts(smtp_sink, free_port):
    with portal() as (site, _), small(site, smtp_sink, free_port, trouble="bot") as world:
        world.begin()
        eventually(lambda: any("127.77.0.25" in zone for zone in world.places.dns.listings.values()))
        world.repair()
        eventually(lambda: not any("127.77.0.25" in zone for zone in world.places.dns.listings.values()))


def test_complaint_waits_until_the_listener_is_there(smtp_sink, free_port):
    with portal() as (site, _):
        world = small(site, smtp_sink, free_port)
        world.desk = Desk(site, ("127.0.0.1", free_port), "abuse@isp.example")
        with world:
            world.begin()
            eventually(lambda: any(task.tries for task in world.memory.tasks))
            world.life.desk = Desk(site, (smtp_sink.host, smtp_sink.port), "abuse@isp.example")
            eventually(lambda: smtp_sink.messages)


def test_port_that_is_taken_is_named(smtp_sink, free_port):
    with portal() as (site, _):
        world = small(site, smtp_sink, free_port, mailbox=(smtp_sink.host, smtp_sink.port))
        with pytest.raises(PlaceTaken, match=f"127.0.0.1:{smtp_sink.port}: address already in use"), world:
            pass


def test_browser_goes_to_the_desk_and_nowhere_else():
    with pytest.raises(PageProblem, match="is not on"):
        Browser("http://127.0.0.1:8080").open("http://192.0.2.1/p/x")


def test_page_that_is_gone_is_not_asked_again():
    with portal() as (site, _), pytest.raises(PageProblem, match="404") as caught:
        Browser(site).answer(f"{site}/p/unknown", "fixed")
    assert caught.value.is_final


def test_page_that_is_down_is_asked_again(free_port):
    with pytest.raises(PageProblem) as caught:
        Browser(f"http://127.0.0.1:{free_port}").open(f"http://127.0.0.1:{free_port}/p/x")
    assert not caught.value.is_final


def test_mail_with_a_link_to_elsewhere_is_no_notice():
    assert read_notice(letter("http://192.0.2.1", "notify"), to="n@x.example", site="http://127.0.0.1:8080") is None


WORLD = build_world(born_at=NOON)
HANDS = ["C-2001", "C-2002", "C-2003", "C-2004", "C-2005", "C-2006"]


def memory(**known: Any) -> Memory:
    return Memory(None, 1, NOON, **known)


def test_three_relays_wait_for_the_button():
    assert wanted_by_hand(WORLD, memory(), now=1000.0) == HANDS[:BY_HAND]


def test_relay_that_waits_already_counts_and_the_longest_rested_comes_next():
    known = memory(begun={"C-2002": 900.0, "C-2003": 950.0}, solved={"C-2001": 800.0, "C-2004": 700.0})
    known.solved |= dict.fromkeys(["C-2005", "C-2006"], 790.0)

    assert wanted_by_hand(WORLD, known, now=1000.0) == ["C-2004"]


def test_wandering_refills_the_relays_that_wait_makes_one_move_and_goes_on(free_port):
    known = memory(begun={"C-2001": time.time(), "C-2020": time.time() - 2 * UNDERWAY_S})
    life = Life(WORLD, known, Desk("http://127.0.0.1:1", ("127.0.0.1", 1), "abuse@isp.example"))
    life.places = Places(
        WORLD, relay_port=free_port, next_server=("127.0.0.1", 1), dns=("127.0.0.1", 0), mailbox=("127.0.0.1", 0),
        on_mail=life.receive,
    )  # fmt: skip

    asyncio.run(life.wander(Task(0.0, 5, "wander")))

    assert list(known.begun) == ["C-2001"]  # what began long ago has come to rest
    assert [task.args["contract"] for task in known.tasks if task.args.get("contract") in HANDS] == HANDS[1:BY_HAND]
    others = [task.verb for task in known.tasks if task.args.get("contract") not in HANDS]
    assert sorted(others) in (["begin", "wander"], ["stray", "wander"])


def test_host_that_was_just_repaired_rests():
    solved = {host.contract: 1000.0 for host in WORLD.hosts}
    moves = [next_move(WORLD, memory(solved=solved), random.Random(n), now=1010.0) for n in range(30)]

    assert {verb for verb, _ in moves} == {"stray"}
