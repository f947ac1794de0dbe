"""Where the samples lie: ours in tests/samples, and a larger shared corpus beside the repository where there is one."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OWN = sorted((REPOSITORY / "tests" / "samples").glob("*/*.eml"))
CORPUS = REPOSITORY.parent / "shared" / "samples"


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"
