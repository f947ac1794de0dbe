"""Who may do what at the desk: five roles, and one table of what each of them may do. Data; access.py asks it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """The names of the groups. Each may do what the one above it may, but the auditor, who only looks."""

    ANALYST = "analyst"
    SENIOR = "senior"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Can(StrEnum):
    """What one may be allowed. Pages ask by these names: may("close_cases"), {% if can.close_cases %}."""

    SEE_CASES = "see_cases"  # the pages that show a restricted user the part they may see
    SEE_NETWORK = "see_network"  # the pages that show all networks and brands at once
    SEE_REPORTS = "see_reports"
    SEE_PLAYBOOKS = "see_playbooks"
    SEE_READ_LOG = "see_read_log"  # who read whose data
    SEE_APPROVALS = "see_approvals"  # what waits for a second person
    WORK_CASES = "work_cases"  # assign, note, check, write to people, answer, tasks, messages, the kill switch
    CLOSE_CASES = "close_cases"
    CUT_LINES = "cut_lines"  # decide a measure on a line, agree to one, undo it, lift it
    MERGE_CASES = "merge_cases"  # merge, split and move what stands in cases
    EDIT_RULES = "edit_rules"
    EDIT_PLAYBOOKS = "edit_playbooks"
    EDIT_WEIGHTS = "edit_weights"
    LET_GO_ON = "let_go_on"  # end a hold of the kill switch, release what was kept back
    CONFIGURE = "configure"  # resolvers, and what Django's admin has
    MANAGE_PEOPLE = "manage_people"  # users, roles, API keys


ANALYST = frozenset({Can.SEE_CASES, Can.SEE_NETWORK, Can.SEE_APPROVALS, Can.WORK_CASES, Can.CLOSE_CASES})
SENIOR = ANALYST | {Can.CUT_LINES, Can.MERGE_CASES, Can.EDIT_RULES}
SUPERVISOR = SENIOR | {
    Can.SEE_REPORTS, Can.SEE_PLAYBOOKS, Can.SEE_READ_LOG, Can.EDIT_PLAYBOOKS, Can.EDIT_WEIGHTS, Can.LET_GO_ON,
}  # fmt: skip
ADMINISTRATOR = SUPERVISOR | {Can.CONFIGURE, Can.MANAGE_PEOPLE}
AUDITOR = frozenset(each for each in Can if each.startswith("see_"))
MAY: dict[Role, frozenset[Can]] = {
    Role.ANALYST: ANALYST,
    Role.SENIOR: SENIOR,
    Role.SUPERVISOR: SUPERVISOR,
    Role.ADMINISTRATOR: ADMINISTRATOR,
    Role.AUDITOR: AUDITOR,
}
# Who is restricted to networks or brands keeps these alone: whatever shows or changes all of them is not theirs.
RESTRICTED = frozenset({Can.SEE_CASES, Can.SEE_APPROVALS, Can.WORK_CASES, Can.CLOSE_CASES, Can.CUT_LINES})
# These need a second factor: a stolen password must not cut a line, change who may, or bend what the machine does.
RISKY = frozenset({Can.CUT_LINES, Can.EDIT_PLAYBOOKS, Can.CONFIGURE, Can.MANAGE_PEOPLE})


def allowed(names: Iterable[str], *, restricted: bool = False) -> frozenset[Can]:
    """What the groups `names` may together. An auditor's hands stay bound whatever else they are."""
    roles = {role for role in Role if role in set(names)}
    if Role.AUDITOR in roles:
        roles = {Role.AUDITOR}
    found = frozenset[Can]().union(*(MAY[role] for role in roles))
    return found & RESTRICTED if restricted else found


def lowest(can: Can) -> Role:
    """The first role that may: for the sentence that refuses the others."""
    return next(role for role in Role if can in MAY[role])
