"""Programs of Debian packages for tests, without installing them: downloaded and unpacked into a cache directory.

Packages that exclude each other (Postfix and Exim) stand side by side that way, and no service is started. Needs
apt-get with its lists; only root can fetch those. What is installed already is used as it is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

FETCH_S = 180
MOST_DEEP = 3  # libraries of libraries
FROM_THE_SYSTEM = re.compile(r"libc6|libgcc|libstdc\+\+")  # two of them in one process do not go together


class NoPackage(Exception):
    """The program cannot be had here; the text says why."""


def cache_home() -> Path:
    """ABUSEDESK_TEST_PACKAGES, or a directory of ours in /var/tmp: servers under other accounts must reach it."""
    home = Path(os.environ.get("ABUSEDESK_TEST_PACKAGES") or f"/var/tmp/abusedesk-tests-{os.geteuid()}")
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        raise NoPackage(f"{home} belongs to somebody else: programs in there are not ours to run")
    return home


@cache
def unpacked(name: str, program: str, *more: str) -> Path:
    """The root directory below which the `program` of package `name` lies; `more`: further packages it needs.

    Raises NoPackage.
    """
    if Path("/", program).exists():
        return Path("/")
    root = cache_home() / name
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second finds everything done
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            wanted = [name, *more]
            fetch(wanted, root)
            for _ in range(MOST_DEEP):
                if missing_libraries(root, program) and (wanted := libraries_of(wanted)):
                    fetch(wanted, root)
            if missing := missing_libraries(root, program):
                raise NoPackage(f"{name}: {', '.join(missing)} cannot be found")
            (root / "complete").touch()
    return root


def fetch(packages: Sequence[str], root: Path) -> None:
    """Download and unpack. Root may first bring the package lists up to date."""
    root.mkdir(parents=True, exist_ok=True)
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise NoPackage(f"{packages[0]}: there is no {tool} here")
    with tempfile.TemporaryDirectory(dir=root) as folder:
        download = ["apt-get", "-q", "download", "-o", "APT::Sandbox::User=root", *packages]
        done = call(download, folder)
        if done.returncode and os.geteuid() == 0:
            call(["apt-get", "-q", "update"], folder)
            done = call(download, folder)
        if done.returncode:
            last = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise NoPackage(f"{', '.join(packages)} cannot be downloaded: {last}")
        for file in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", file, root], check=True, timeout=FETCH_S)
    for path in root.rglob("*"):  # nothing in here shall run with another's rights, or without our environment
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o755)


def call(command: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"not within {FETCH_S} s")


def libraries_of(packages: Sequence[str]) -> list[str]:
    done = subprocess.run(["apt-cache", "depends", *packages], capture_output=True, text=True, timeout=60)
    found = re.findall(r"Depends: ((?:lib|lua)[\w.+-]+)", done.stdout)
    return sorted({name for name in found if not FROM_THE_SYSTEM.match(name)})


def missing_libraries(root: Path, program: str) -> list[str]:
    environment = {**os.environ, "LD_LIBRARY_PATH": library_path(root)}
    done = subprocess.run(["ldd", root / program], capture_output=True, text=True, env=environment, timeout=60)
    return re.findall(r"(\S+) => not found", done.stdout)


def library_path(root: Path) -> str:
    """Where a program below `root` finds its own libraries; what is missing there comes from the system."""
    return ":".join(str(path) for path in sorted({file.parent for file in root.glob("**/*.so*")}))
