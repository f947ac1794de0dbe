"""What a playbook step can do: one file each, with NAME and carry_out(case, step, *, now)."""

from types import ModuleType

from complaints.registry import load_plugins


def load_actions() -> list[ModuleType]:
    return load_plugins("complaints.playbooks.actions", {"carry_out": None})
