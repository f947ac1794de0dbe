"""CPU per ARF mail: our whole reading, beside the floor and the standard library's parser, in the same run.

    python bench/parse.py [--mails 2000] [--rounds 5]

The floor is the least that could do the job: find the boundary, the report's fields and the original's first header
fields, as bytes, and decode nothing. Contestants take turns; the median round counts. Ratios count, absolutes do not.

Peers run on the same mails right afterwards, in processes of their own: parsedmarc in a virtual environment that this
bench makes (--peers FOLDER keeps it), sisimai where Perl has it (Debian: libsisimai-perl). One that cannot be had is
named and left out.
"""

from __future__ import annotations

import argparse
import email
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from complaints.formats import arf_fast, read_message
from complaints.formats.mail import Mail

PEER_MAILS = 500


def make_mail(dice: random.Random) -> bytes:
    boundary = f"=_report_{dice.getrandbits(64):x}"
    source = f"192.0.2.{dice.randrange(1, 255)}"
    received = "".join(
        f"Received: from host{n}.mailhaus.example (host{n}.mailhaus.example [10.0.{n}.{dice.randrange(255)}])\r\n"
        f"\tby store{n}.mailhaus.example (Postfix) with ESMTPS id {dice.getrandbits(40):x}\r\n"
        f"\tfor <reader@mailhaus.example>; Tue, 3 Mar 2026 08:59:4{n} +0000 (UTC)\r\n"
        for n in range(4)
    )
    signature = "\r\n\t".join(f"{dice.getrandbits(280):070x}" for _ in range(5))
    text = "\r\n".join(f"{dice.getrandbits(240):060x}" for _ in range(dice.randrange(20, 70)))
    mail = (
        f"{received}DKIM-Signature: v=1; a=rsa-sha256; d=mailhaus.example; s=fbl;\r\n\tb={signature}\r\n"
        "From: Mailhaus Feedback <feedback@mailhaus.example>\r\nTo: abuse@brenn.example\r\n"
        "Subject: Email Feedback Report\r\nDate: Tue, 3 Mar 2026 08:59:38 +0000\r\nMIME-Version: 1.0\r\n"
        f"Message-ID: <{dice.getrandbits(64):x}@mailhaus.example>\r\n"
        f'Content-Type: multipart/report; report-type=feedback-report;\r\n\tboundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nAn abuse report.\r\n\r\n"
        f"--{boundary}\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        "User-Agent: MailhausFBL/2.1\r\nVersion: 1\r\nOriginal-Mail-From: <win@lotterie.example>\r\n"
        "Original-Rcpt-To: <reader@mailhaus.example>\r\nArrival-Date: Tue, 3 Mar 2026 08:59:41 +0000\r\n"
        f"Source-IP: {source}\r\nReported-Domain: lotterie.example\r\n\r\n"
        f"--{boundary}\r\nContent-Type: message/rfc822\r\n\r\n{received}"
        f"Received: from mail.kunde.example (mail.kunde.example [{source}])\r\n\tby mx.mailhaus.example with ESMTP;\r\n"
        "\tTue, 3 Mar 2026 08:59:41 +0000\r\nFrom: win@lotterie.example\r\nTo: reader@mailhaus.example\r\n"
        f"Subject: =?utf-8?q?Gewonnen=21_=E2=82=AC_?= {dice.getrandbits(32)}\r\n"
        f"Message-ID: <{dice.getrandbits(64):x}@lotterie.example>\r\nDate: Tue, 3 Mar 2026 08:59:30 +0000\r\n\r\n"
        f"{text}\r\n\r\n--{boundary}--\r\n"
    )
    return (mail if dice.random() < 0.5 else mail.replace("\r\n", "\n")).encode()


def floor(raw: bytes) -> dict[bytes, bytes]:
    at = raw.find(b"boundary=")
    boundary = raw[at + 9 : raw.find(b"\n", at)].strip().strip(b'"')
    found: dict[bytes, bytes] = {}
    for piece in raw.split(b"--" + boundary)[2:4]:
        start = piece.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in piece else piece.find(b"\n\n") + 2
        block = piece[start:].lstrip()
        ends = block.find(b"\r\n\r\n") if b"\r\n\r\n" in block else block.find(b"\n\n")
        for line in block[:ends].split(b"\n"):
            name, _, value = line.partition(b":")
            found[name.lower()] = value.strip()
    return found


def compat32(raw: bytes) -> list[object]:
    """The same fields by the standard library, undecoded."""
    message = email.message_from_bytes(raw)
    _, report, original = message.get_payload()
    (fields,), (embedded,) = report.get_payload(), original.get_payload()
    names = ("feedback-type", "user-agent", "version", "original-mail-from", "arrival-date", "source-ip")
    return [
        *(fields.get(name) for name in names),
        fields.get_all("original-rcpt-to"), fields.get_all("reported-domain"), fields.get_all("reported-uri"),
        embedded.get("subject"), embedded.get("message-id"), embedded.get_all("received"),
        message.get("from"), message.get("subject"), message.get("message-id"), message.get("date"),
    ]  # fmt: skip


def cpu_us(work: Callable[[bytes], object], mails: list[bytes]) -> float:
    began = time.process_time()
    for raw in mails:
        work(raw)
    return (time.process_time() - began) / len(mails) * 1e6


PARSEDMARC = """
import pathlib, sys, time
import parsedmarc
mails = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
parsedmarc.parse_report_email(mails[0], offline=True)
began = time.process_time()
for raw in mails:
    parsedmarc.parse_report_email(raw, offline=True)
print(len(mails), time.process_time() - began)
"""
SISIMAI = """
use Sisimai;
my @before = times;
my $found = Sisimai->make($ARGV[0], delivered => 1);
my @after = times;
printf "%d %f\\n", scalar @{ $found || [] }, $after[0] + $after[1] - $before[0] - $before[1];
"""


def peers(mails: list[bytes], home: Path) -> dict[str, float | str]:
    """CPU µs a mail, or why there is none, by name."""
    folder = home / "mails"
    folder.mkdir(exist_ok=True)
    for number, raw in enumerate(mails):
        (folder / f"{number:05}.eml").write_bytes(raw.replace(b"\r\n", b"\n"))
    found: dict[str, float | str] = {}
    python = home / "venv" / "bin" / "python"
    make = [sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(home / "venv")]
    install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python), "parsedmarc==11.1.0"]
    if not python.exists() and (problem := failure(make) or failure(install)):
        found["parsedmarc 11.1.0"] = problem
    else:
        found["parsedmarc 11.1.0"] = peer_us([str(python), "-c", PARSEDMARC, str(folder)], len(mails))
    if failure(["perl", "-MSisimai", "-e", "1"]):
        found["sisimai (Perl)"] = "not here: apt-get install libsisimai-perl"
    else:
        found["sisimai (Perl)"] = peer_us(["perl", "-e", SISIMAI, str(folder)], len(mails))
    return found


def failure(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except OSError as exc:
        return str(exc)
    return done.stderr.strip()[-200:] if done.returncode else ""


def peer_us(command: list[str], count: int) -> float | str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    read, _, seconds = done.stdout.strip().partition(" ")
    return float(seconds) / count * 1e6 if read == str(count) else f"read {read or 0} of {count}: {done.stderr[-200:]}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mails", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--peers", help="folder that keeps the peers' virtual environment")
    chosen = options.parse_args()
    dice = random.Random(20260303)
    mails = [make_mail(dice) for _ in range(chosen.mails)]
    contestants: dict[str, Callable[[bytes], object]] = {
        "floor: bytes, nothing decoded": floor,
        "read_message (whole)": read_message,
        "standard library, compat32": compat32,
    }
    rounds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(chosen.rounds):
        for name, work in contestants.items():
            rounds[name].append(cpu_us(work, mails))
    taken = sum(arf_fast.find_parts(Mail(raw)) is not None for raw in mails)
    least = statistics.median(rounds["floor: bytes, nothing decoded"])
    print(f"{chosen.mails} mails, mean {sum(map(len, mails)) / len(mails):.0f} bytes, {chosen.rounds} rounds")
    for name, times in rounds.items():
        middle = statistics.median(times)
        print(f"{name:32} {middle:8.1f} us  {1e6 / middle:8.0f} mails/s  {middle / least:6.2f} x floor")
    print(f"scanner took {100 * taken / len(mails):.1f} %")
    ours = statistics.median(rounds["read_message (whole)"])
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(chosen.peers or scratch)
        home.mkdir(parents=True, exist_ok=True)
        for name, cost in peers(mails[:PEER_MAILS], home).items():
            print(f"{name:32} " + (cost if isinstance(cost, str) else f"{cost:8.1f} us  {cost / ours:6.1f} x ours"))
    compat = statistics.median(rounds["standard library, compat32"])
    print(f"goals: {ours / least:.2f} x floor (at most 5), compat32 {compat / ours:.2f} x ours (at least 4)")


if __name__ == "__main__":
    main()
