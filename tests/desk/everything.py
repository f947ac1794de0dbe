"""A world in which every page of desk, account and admin has something to show, and where each page is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from complaints.api.keys import make_key
from complaints.bulk import act, look
from complaints.cases.tasks import open_task
from complaints.desk.playbook_editor import NEW
from complaints.interventions import decide_measure
from complaints.models import Brand, Campaign, Case, Customer, Network, PlaybookVersion, SenderRule, User
from complaints.notices.compose import queue_notice
from complaints.notices.own_letters import save_letter
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.versions import make_draft
from complaints.vocabulary import MeasureKind
from tests.blacklists.rows import make_blacklist
from tests.desk.test_admin import make_rows_of_feeds
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_message,
    make_network,
    make_rule,
    make_run,
    make_shared_machine,
    make_user,
)

# Opened by GET, and no page of their own: downloads, parts of pages, and what only leads elsewhere.
NO_PAGES = {
    "health", "icon", "desk:narrow", "desk:next", "desk:case-more", "desk:message-raw", "desk:message-file",
    "desk:notice-html", "desk:playbook-yaml", "desk:offenders-csv", "desk:contract",
    "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_activate_totp",
    # Before the log-in, or between password and second factor: test_browser_log_in.py looks at them.
    "login", "account_login", "mfa_authenticate", "mfa_login_webauthn",
    "mfa_remove_webauthn", "mfa_edit_webauthn",  # of a key, which a browser must have made: the same file
    "desk:corrections-review",  # of proposals: test_browser_corrections.py
}  # fmt: skip
CLOSED = {"account_signup", "account_reset_password", "account_set_password"}  # pages that say so, with 404


def make_everything() -> User:
    """Who sees all of it."""
    root = make_user("root", is_staff=True, is_superuser=True)
    case = make_case(state="triage", priority=80)
    make_complaint(case, reporter="a@x.example")
    make_complaint(reporter="b@x.example")
    make_message(b"Subject: odd\r\n\r\nodd", state="unread")
    make_campaign_of(case)
    make_acts_on(case, root)
    make_network()
    make_assignment(case.contract)
    make_blacklist()
    make_shared_machine()
    make_rule()
    make_rows_of_feeds(case)
    make_letters(case)
    SenderRule.objects.create(
        sender="report@x.example", category="scan", fields={"source_ip": {"before": "from "}},
        message=make_message(b"x"), created_by="ada", created_at=NOON,
    )  # fmt: skip
    make_factors_of(root)
    return root


def make_campaign_of(case: Case) -> None:
    Campaign.objects.create(subject="win", first_seen_at=NOON, last_seen_at=NOON, case_count=2)
    Customer.objects.filter(pk=case.contract.customer_id).update(protected=True)


def make_acts_on(case: Case, root: User) -> None:
    now = timezone.now()
    make_run(case)
    open_task("playbook", "ring", title="Ring them", actor="machine", now=NOON, case=case)
    decide_measure(
        case, MeasureKind.SUSPEND, step="x", occurrence=1, actor="ada", reason="x", now=now, undo=timedelta()
    )
    stays = {case.pk: case.stay}
    note = {"text": "called them"}
    act("note", look("note", [case], stays=stays, options=note), user=root, options=note, stays=stays, now=now)


def make_letters(case: Case) -> None:
    queue_notice(case, "notify", occurrence=1, now=NOON)
    Brand.objects.create(name="Nordlicht", title="Nordlicht")
    save_letter(language="en", step="greeting_of_ours", cause="", source="Subject: x", actor="ada", now=NOON)
    make_key("crm", scopes=["whose"], actor="root", now=NOON)
    begin_with_shipped(now=NOON)
    make_draft(PlaybookVersion.objects.get(name="open relay").document, actor="bea", now=NOON)


def make_factors_of(user: User) -> None:
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)


def paths_of(urls: dict[str, dict[str, str]]) -> dict[str, str]:
    """Name → path, where a page needs more than the first row."""
    draft = PlaybookVersion.objects.get(state="draft").pk
    parts: dict[str, dict[str, Any]] = {
        "desk:playbook-about": {"pk": draft},
        "desk:playbook-step": {"pk": draft, "what": NEW},
    }
    return {name: reverse(name, kwargs=given | parts.get(name, {})) for name, given in urls.items()}


def admin_paths() -> list[str]:
    """The front page, and of each table its list, its form for a new row, and its first row."""
    network = Network.objects.get().pk
    found = [reverse("admin:index")]
    # The same for every table.
    found += [reverse(f"admin:complaints_network_{page}", args=[network]) for page in ("history", "delete")]
    for model in admin.site._registry:
        name = f"admin:complaints_{model._meta.model_name}"
        row = model._default_manager.order_by("pk").first()
        assert row is not None, f"make_everything() makes no {model.__name__}"
        found += [reverse(f"{name}_{page}") for page in ("changelist", "add")]
        found.append(reverse(f"{name}_change", args=[row.pk]))
    return found
