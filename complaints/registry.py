"""One strict loader for every kind of plug-in: a package of modules with a few required names.

A plug-in is a file. It is found by being there; a file that lacks a required name, or repeats
another one's NAME, stops the start with a sentence that says which and what.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType


class BadPlugin(Exception):
    """A plug-in file does not keep the contract of its package."""


def load_plugins(package: str, required: Mapping[str, type | tuple[type, ...] | None]) -> list[ModuleType]:
    """Import every public module of `package` that is a plug-in, sorted by RANK, then by name.

    A module is a plug-in when it defines NAME. `required` maps further names to their type
    (None: must be callable). Modules whose name begins with an underscore are skipped.

    Raises:
        BadPlugin: a required name is missing or of the wrong type, or a NAME is taken twice.
    """
    parent = importlib.import_module(package)
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(parent.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        if not hasattr(module, "NAME"):
            continue
        check_contract(module, {"NAME": str, **required})
        if module.NAME in found:
            raise BadPlugin(f"{module.__name__}: NAME {module.NAME!r} is already that of {found[module.NAME].__name__}")
        found[module.NAME] = module
    return sorted(found.values(), key=lambda module: (getattr(module, "RANK", 0), module.__name__))


def check_contract(module: ModuleType, required: Mapping[str, type | tuple[type, ...] | None]) -> None:
    for name, kind in required.items():
        value = getattr(module, name, None)
        if kind is None and not callable(value):
            raise BadPlugin(f"{module.__name__}: {name}() is missing")
        if kind is not None and not isinstance(value, kind):
            raise BadPlugin(f"{module.__name__}: {name} must be {kind}, is {value!r}")


def by_name(plugins: Sequence[ModuleType]) -> dict[str, ModuleType]:
    return {module.NAME: module for module in plugins}
