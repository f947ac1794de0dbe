"""For a desk without any interface to its network: a colleague is asked, and confirms."""

from __future__ import annotations

from complaints.adapters.measures import AskHuman, Config, Order

NAME = "by_hand"
RANK = 10

WORDS = {
    "limit_25": ("Block outgoing tcp/25", "Open outgoing tcp/25 again"),
    "lock_account": ("Lock the mail account", "Unlock the mail account"),
    "quarantine": ("Put the line into quarantine", "Let the line out of quarantine"),
    "suspend": ("Suspend the line", "Put the line into service again"),
}


def carry_out(order: Order, config: Config) -> str:
    held = ", ".join((*order.prefixes[:5], *order.accounts[:5])) or "no address at this moment"
    raise AskHuman(f"{WORDS[order.kind][order.lift]}: contract {order.contract} ({held})")
