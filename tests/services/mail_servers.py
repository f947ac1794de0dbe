"""Postfix and Exim as mail servers of customers: one daemon each, with an address of loopback for every behaviour.

All mail that they take leaves for one next server. Both run from a private directory and leave nothing behind.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from abusedesk.processes import die_with
from tests.services.packages import NoPackage, library_path, unpacked
from tests.services.postgres import as_account

Place = tuple[str, int]
START_S = 60
# Postfix wants three accounts that nobody shares; on every Debian these have nothing to do.
OWNER, GROUP, NOBODY = "uucp", "games", "nobody"
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
          "private", "public", "saved", "trace")  # fmt: skip

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/etc/postfix
import_environment = LD_LIBRARY_PATH MAIL_CONFIG
mail_owner = {owner}
setgid_group = {group}
default_privs = {nobody}
maillog_file = {home}/log
maillog_file_prefixes = {home}
inet_protocols = all
inet_interfaces = 127.0.0.1
myhostname = mail.customer.example
mydestination = $myhostname, localhost
mynetworks = 192.0.2.1/32
local_recipient_maps = inline:{{{{postmaster=x}}}}
local_transport = discard:
alias_maps =
smtp_host_lookup = native
disable_dns_lookups = yes
notify_classes =
minimal_backoff_time = 1s
relayhost = [{onward[0]}]:{onward[1]}
"""
SERVICES = """\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
EXIM = """\
exim_path = {root}/usr/sbin/exim4
primary_hostname = mail.customer.example
spool_directory = {home}/spool
log_file_path = {home}/log-%s
pid_file_path = {home}/pid
local_interfaces = {interfaces}
exim_user = {owner}
exim_group = {group}
never_users =
deliver_drop_privilege = true
keep_environment = *
domainlist local_domains = mail.customer.example : localhost
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = rcpt
begin acl
rcpt:
{rules}
  deny message = relay not permitted
begin routers
percent_hack:
  driver = redirect
  domains = +local_domains
  local_parts = ^.*%
  data = ${{sg{{$local_part}}{{%}}{{@}}}}
own:
  driver = accept
  domains = +local_domains
  transport = hole
out:
  driver = manualroute
  route_list = * {onward[0]}::{onward[1]} byname
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  interface = $received_ip_address
hole:
  driver = appendfile
  file = /dev/null
begin retry
* * F,1h,1s
"""


def postfix_root() -> Path:
    """Raises NoPackage."""
    if os.geteuid() != 0:
        raise NoPackage("Postfix can only be started by root")
    return unpacked("postfix", "usr/lib/postfix/sbin/master")


@contextmanager
def postfix(servers: Mapping[Place, str], *, onward: Place, settings: str = "") -> Iterator[Path]:
    """servers: the options of each smtpd, as in master.cf, by the place it listens at. Yields its log file."""
    root = postfix_root()
    with private_home("postfix") as home:
        make_queue(home)
        (home / "conf").mkdir()
        words = {"home": home, "root": root, "owner": OWNER, "group": GROUP, "nobody": NOBODY, "onward": onward}
        (home / "conf/main.cf").write_text(MAIN_CF.format(**words) + settings)
        lines = [f"{written(place)} inet n - n - - smtpd {options}" for place, options in servers.items()]
        (home / "conf/master.cf").write_text("\n".join(lines) + "\n" + SERVICES)
        master = root / "usr/lib/postfix/sbin/master"
        with running([master, "-c", home / "conf", "-d"], {"LD_LIBRARY_PATH": library_path(root)}, home):
            wait_for(servers, home / "log")
            yield home / "log"


def make_queue(home: Path) -> None:
    owner, group = pwd.getpwnam(OWNER).pw_uid, pwd.getpwnam(GROUP).pw_gid
    (home / "data").mkdir()
    os.chown(home / "data", owner, -1)
    (home / "queue").mkdir()
    for name in QUEUES:
        path = home / "queue" / name
        path.mkdir(mode=0o700)
        if name != "pid":
            os.chown(path, owner, group if name in ("maildrop", "public") else -1)
    (home / "queue/maildrop").chmod(0o1730)
    (home / "queue/public").chmod(0o710)


@contextmanager
def exim(servers: Mapping[Place, str], *, onward: Place) -> Iterator[Path]:
    """servers: the conditions of `accept` in the RCPT list by place; empty: nothing is accepted there.

    It never runs as root: then its delivery processes, too, keep the environment that they are started with.
    """
    root = unpacked("exim4-daemon-light", "usr/sbin/exim4")
    account = pwd.getpwnam(OWNER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with private_home("exim") as home:
        (home / "spool").mkdir()
        for path in (home, home / "spool"):
            os.chown(path, account.pw_uid, account.pw_gid)
        words = {
            "home": home,
            "root": "" if root == Path("/") else root,
            "owner": account.pw_uid,
            "group": account.pw_gid,
            "onward": onward,
            "interfaces": "<; " + " ; ".join(f"[{host}]:{port}" for host, port in servers),
            "rules": "\n".join(accept_rule(place, conditions) for place, conditions in servers.items() if conditions),
        }
        (home / "conf").write_text(EXIM.format(**words))
        environment = {**own_accounts(home, account), "LD_LIBRARY_PATH": library_path(root)}
        command = [root / "usr/sbin/exim4", "-C", home / "conf", "-bdf", "-q1s"]
        with running(command, environment, home, account if os.geteuid() == 0 else None):
            wait_for(servers, home / "log-main")
            yield home / "log-main"


def accept_rule(place: Place, conditions: str) -> str:
    here = f"${{if and{{{{eq{{$received_ip_address}}{{{place[0]}}}}}{{eq{{$received_port}}{{{place[1]}}}}}}}}}"
    return f"  accept condition = {here}\n         {conditions}"


def own_accounts(home: Path, account: pwd.struct_passwd) -> dict[str, str]:
    """Debian's Exim wants to know its account by name; where it is not installed there is none."""
    try:
        pwd.getpwnam("Debian-exim")
        return {}
    except KeyError:
        wrapper = unpacked("libnss-wrapper", "usr/lib/libnss_wrapper-of-the-system.so")
    library = next(wrapper.glob("**/libnss_wrapper.so"))
    for file, line in (("passwd", "{0.pw_uid}:{0.pw_gid}:exim:/:/bin/false"), ("group", "{0.pw_gid}:")):
        (home / file).write_text(Path("/etc", file).read_text() + f"Debian-exim:x:{line.format(account)}\n")
    return {
        "LD_PRELOAD": str(library),
        "NSS_WRAPPER_PASSWD": str(home / "passwd"),
        "NSS_WRAPPER_GROUP": str(home / "group"),
    }


@contextmanager
def private_home(name: str) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix=f"abusedesk-{name}-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running(
    command: list[object], environment: Mapping[str, str], home: Path, account: pwd.struct_passwd | None = None
) -> Iterator[None]:
    """The daemon and all that it starts form a group, which is stopped as a whole."""
    with (home / "output").open("wb") as output:
        daemon = subprocess.Popen(
            [str(word) for word in command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with(os.getpid()),
            **as_account(account),
        )
    try:
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(timeout=5)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        with suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)


def wait_for(places: Mapping[Place, str], log: Path) -> None:
    until = time.monotonic() + START_S
    for host, port in places:
        while True:
            try:
                socket.create_connection((host, port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > until:
                    said = "".join(path.read_text() for path in (log, log.parent / "output") if path.exists())
                    raise AssertionError(f"no server at {host} port {port}; it says:\n{said[-3000:]}") from None
                time.sleep(0.05)


def written(place: Place) -> str:
    return f"[{place[0]}]:{place[1]}" if ":" in place[0] else f"{place[0]}:{place[1]}"
