"""The relay check against the mail servers that customers run, and our own listener as the mailbox of the probes."""

from __future__ import annotations

import contextlib
import json
import shutil
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.services.desk import Desk
from tests.services.mail_servers import Place, exim, postfix
from tests.services.packages import NoPackage
from tests.services.ports import free_ports

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
CERTIFICATE = Path(__file__).with_name("mail.customer.example.pem")
Found = dict[str, dict[str, Any]]
OPEN = "-o mynetworks=0.0.0.0/0"
CLOSED = "-o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
POLICY = "check_policy_service,inet:127.0.0.1:{}"
TLS = f"-o smtpd_tls_security_level=encrypt -o smtpd_tls_chain_files={{}} {CLOSED}"
POSTFIX = {
    "open": ("127.77.1.1", OPEN),
    "closed": ("127.77.1.2", CLOSED),
    "closed behind STARTTLS": ("127.77.1.3", TLS),
    "refuses at DATA": ("127.77.1.4", f"{OPEN} -o smtpd_data_restrictions=reject"),
    "discards": ("127.77.1.5", f"{OPEN} -o content_filter=discard:"),
    "greylists": ("127.77.1.6", f"-o smtpd_relay_restrictions={POLICY},reject_unauth_destination"),
    "tarpits": ("127.77.1.7", f"{CLOSED} -o smtpd_client_restrictions=sleep,3"),
    "bounces": ("127.77.1.8", f"{OPEN} -o content_filter=error:unknown"),
    "open on IPv6": ("::1", "-o mynetworks=[::]/0"),
}  # fmt: skip
EXIM = {
    "open": ("127.77.2.1", "domains = *"),
    "closed": ("127.77.2.2", ""),
    "percent hack": ("127.77.2.3", "domains = +local_domains"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Desk]:
    """The whole program; it has no playbook and no case, only checks by hand."""
    home = tmp_path_factory.mktemp("desk")
    desk = Desk(home, ABUSEDESK_CHECK_RETRY="1", ABUSEDESK_RELAY_SECONDS="20", ABUSEDESK_PROBE_WAIT="4")
    files = {
        "import_networks": "prefix,name\n127.77.0.0/16,ours\n::1/128,ours\n",
        "import_contracts": (
            "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language\n"
            "C-1,K-1,Atelier Brenn,business,isp,Nora Brenn,nora@atelier-brenn.example,holder,en\n"
        ),
        "import_assignments": (
            "contract,prefix,kind,valid_from,valid_until,port_first,port_last\n"
            "C-1,127.77.0.0/16,static,2024-01-01T00:00:00Z,,,\nC-1,::1/128,static,2024-01-01T00:00:00Z,,,\n"
        ),
    }
    desk.take_tables(migrated)
    for command, text in files.items():
        (home / command).write_text(text)
        done = desk.manage(command, str(home / command))
        assert done.returncode == 0, done.stderr.decode()
    with desk.running():
        yield desk


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports(1)[0]


class Greylisting(socketserver.StreamRequestHandler):
    """A policy delegate (Postfix SMTPD_POLICY_README): "later" in the first two seconds of a sender and recipient."""

    seen: dict[tuple[str, str], float] = {}

    def handle(self) -> None:
        said: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode().strip().partition("=")
            said[name] = value
            if not name:
                triple = (said.get("sender", ""), said.get("recipient", ""))
                is_new = time.monotonic() < self.seen.setdefault(triple, time.monotonic()) + 2
                self.wfile.write(b"action=DEFER_IF_PERMIT Greylisted\n\n" if is_new else b"action=DUNNO\n\n")


@pytest.fixture(scope="module")
def policy() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greylisting) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def postfix_server(desk: Desk, port: int, policy: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    certificate = tmp_path_factory.mktemp("tls") / "mail.pem"
    shutil.copy(CERTIFICATE, certificate)
    values = {"greylists": policy, "closed behind STARTTLS": certificate}
    servers = {(host, port): options.format(values.get(name)) for name, (host, options) in POSTFIX.items()}
    with skipped_without_package(), postfix(servers, onward=("127.0.0.1", desk.port["smtp"])) as log:
        yield log


@pytest.fixture(scope="module")
def exim_server(desk: Desk, port: int) -> Iterator[Path]:
    servers: dict[Place, str] = {(host, port): rule for host, rule in EXIM.values()}
    with skipped_without_package(), exim(servers, onward=("127.0.0.1", desk.port["smtp"])) as log:
        yield log


@contextlib.contextmanager
def skipped_without_package() -> Iterator[None]:
    try:
        yield
    except NoPackage as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="module")
def found_at_postfix(desk: Desk, postfix_server: Path, port: int) -> Found:
    """What `manage.py check relay` prints of each Postfix, by its name; all are asked at once."""
    return check_all(desk, {name: host for name, (host, _) in POSTFIX.items()}, port)


@pytest.fixture(scope="module")
def found_at_exim(desk: Desk, exim_server: Path, port: int) -> Found:
    return check_all(desk, {name: host for name, (host, _) in EXIM.items()}, port)


def check_all(desk: Desk, hosts: Mapping[str, str], port: int) -> Found:
    with ThreadPoolExecutor(len(hosts)) as threads:
        return dict(zip(hosts, threads.map(lambda host: check(desk, host, port), hosts.values()), strict=True))


def check(desk: Desk, host: str, port: int) -> dict[str, Any]:
    done = desk.manage("check", "relay", host, "--port", str(port), "--consent", "--wait", "30")
    assert done.stdout, done.stderr.decode()
    return {**json.loads(done.stdout), "exit": done.returncode}


def short(found: dict[str, Any]) -> tuple[str, int, str]:
    return found["verdict"], found["exit"], found["reason"]


def test_open_postfix_is_proven_by_one_mail_that_tells_its_way(desk: Desk, found_at_postfix: Found, port: int) -> None:
    found = found_at_postfix["open"]
    assert short(found)[:2] == ("bad", 1)
    assert found["reason"].startswith("127.77.1.1 relays through 127.0.0.1: our test mail (form “plain”) came back")
    assert [form["form"] for form in found["details"]["forms"]] == ["plain"]
    [(received,)] = desk.rows(
        "SELECT received FROM complaints_probearrival a JOIN complaints_checkrun r ON r.id = a.run_id"
        f" WHERE r.port = {port} ORDER BY a.id LIMIT 1"
    )
    assert "by mail.customer.example (Postfix)" in json.loads(received)[0]


def test_closed_postfix_is_clean(found_at_postfix: Found, postfix_server: Path) -> None:
    found = found_at_postfix["closed"]
    assert short(found) == ("clean", 0, "refused all 35 forms tried")
    assert found["details"]["transcript"][-1]["t"] < 8  # it would sleep a second at each further error a connection
    assert "too many errors" not in postfix_server.read_text()


def test_closed_postfix_that_demands_starttls_is_clean(found_at_postfix: Found) -> None:
    found = found_at_postfix["closed behind STARTTLS"]
    assert short(found) == ("clean", 0, "refused all 35 forms tried")
    assert found["details"]["tls"]["version"] == "TLSv1.3"


def test_postfix_that_takes_recipients_and_refuses_data_is_clean(found_at_postfix: Found) -> None:
    found = found_at_postfix["refuses at DATA"]
    assert short(found) == ("clean", 0, "refused all 35 forms tried")
    assert found["details"]["forms"][0]["stage"] == "data"


def test_postfix_that_discards_everything_is_suspected_and_never_bad(found_at_postfix: Found) -> None:
    found = found_at_postfix["discards"]
    assert short(found)[:2] == ("unknown", 2)
    assert found["reason"].startswith("suspected: the server accepted our test mail, but it did not arrive")
    assert len([form for form in found["details"]["forms"] if form["accepted"]]) <= 4


def test_postfix_that_bounces_what_it_takes_is_backscatter(found_at_postfix: Found) -> None:
    found = found_at_postfix["bounces"]
    assert short(found)[:2] == ("unknown", 2)
    assert found["reason"].startswith("backscatter: the server takes mail for anybody and then returns it")


def test_greylisting_postfix_is_asked_again_by_itself_until_it_answers(
    desk: Desk, found_at_postfix: Found, port: int
) -> None:
    found = found_at_postfix["greylists"]
    assert short(found)[:2] == ("unknown", 2)
    assert found["reason"].startswith("greylisted or refused for now: 450 4.7.1")
    query = (
        f"SELECT verdict, reason FROM complaints_checkrun WHERE tries > 0 AND port = {port} AND reason LIKE 'refused%'"
    )
    desk.wait_until(lambda: desk.rows(query) == [("clean", "refused all 35 forms tried")], within_s=30)


def test_tarpitting_postfix_is_left_in_time_and_is_unknown(found_at_postfix: Found) -> None:
    found = found_at_postfix["tarpits"]
    assert short(found) == ("unknown", 2, "not finished within 20 s")
    assert found["seconds"] < 25


def test_open_postfix_on_ipv6_is_proven(found_at_postfix: Found) -> None:
    found = found_at_postfix["open on IPv6"]
    assert short(found)[:2] == ("bad", 1)
    assert found["reason"].startswith("::1 relays through 127.0.0.1: our test mail (form “plain”) came back")


def test_open_exim_is_proven(found_at_exim: Found) -> None:
    found = found_at_exim["open"]
    assert short(found)[:2] == ("bad", 1)
    assert found["reason"].startswith("our test mail (form “plain”) came back through 127.77.2.1 after")


def test_closed_exim_is_clean_and_never_loses_patience(found_at_exim: Found, exim_server: Path) -> None:
    found = found_at_exim["closed"]
    assert short(found) == ("clean", 0, "refused all 35 forms tried")
    assert found["details"]["tls"]["version"] == "TLSv1.3"  # offered, so taken
    assert "too many nonmail commands" not in exim_server.read_text()


def test_exim_with_a_percent_hack_is_proven_by_it(found_at_exim: Found) -> None:
    found = found_at_exim["percent hack"]
    assert short(found)[:2] == ("bad", 1)
    assert found["reason"].startswith("our test mail (form “pct-host”) came back through 127.77.2.3 after")
