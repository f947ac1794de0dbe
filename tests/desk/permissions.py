"""Every address of the site, and what it takes to open it and to post to it. test_permissions.py tries each role.

A new URL needs its line here: in OPENED when a GET shows something, in POSTED when a POST changes something.
The names of capabilities are those of complaints/desk/roles.py. ANYBODY needs no log-in, KEY is a program's.
"""

from __future__ import annotations

ANYBODY, LOGGED_IN, KEY = "anybody", "logged in", "key"

# Shown by GET.
OPENED = {
    "health": ANYBODY,
    "relay-test": ANYBODY,
    "login": ANYBODY,
    "desk:queue": "see_cases",
    "desk:case": "see_cases",
    "desk:next": "see_cases",
    "desk:close": "close_cases",
    "desk:conversation": "see_cases",
    "desk:notice-html": "see_cases",
    "desk:message": "see_cases",
    "desk:message-raw": "see_cases",
    "desk:message-file": "see_cases",
    "desk:unread": "see_network",
    "desk:unattributed": "see_network",
    "desk:not-ours": "see_network",
    "desk:answers": "see_network",
    "desk:ask": "see_network",
    "desk:tell-not-ours": "see_network",
    "desk:corrections": "see_network",
    "desk:corrections-review": "see_network",
    "desk:whose": "see_network",
    "desk:regroup": "see_network",
    "desk:campaigns": "see_network",
    "desk:campaign": "see_network",
    "desk:blacklists": "see_network",
    "desk:blacklist": "see_network",
    "desk:contacts": "see_network",
    "desk:tasks": "see_cases",
    "desk:holds": "see_network",
    "desk:resolvers": "configure",
    "desk:playbooks": "see_playbooks",
    "desk:playbook": "see_playbooks",
    "desk:playbook-yaml": "see_playbooks",
    "desk:playbook-try": "see_playbooks",
    "desk:playbook-about": "see_playbooks",
    "desk:playbook-step": "see_playbooks",
    "desk:rules": "see_network",
    "desk:rule": "see_network",
    "desk:rule-new": "edit_rules",
    "desk:offenders": "see_reports",
    "desk:offenders-csv": "see_reports",
}

# Changed by POST.
POSTED = {
    "desk:notify": "work_cases",
    "desk:check": "work_cases",
    "desk:verify": "work_cases",
    "desk:assign": "work_cases",
    "desk:note": "work_cases",
    "desk:close": "close_cases",
    "desk:conversation": "work_cases",
    "desk:notice": "work_cases",
    "desk:read-again": "work_cases",
    "desk:read-all-again": "work_cases",
    "desk:try-again": "work_cases",
    "desk:leave-waiting": "work_cases",
    "desk:answers-settle": "work_cases",
    "desk:answer-means": "work_cases",
    "desk:ask": "work_cases",
    "desk:tell-not-ours": "work_cases",
    "desk:corrections-decide": "work_cases",
    "desk:corrections-undo": "work_cases",
    "desk:corrections-tell": "work_cases",
    "desk:blacklist-release": "let_go_on",
    "desk:listing-asked": "work_cases",
    "desk:contacts-check": "work_cases",
    "desk:contacts-again": "work_cases",
    "desk:regroup": "work_cases",
    "desk:regroup-undo": "work_cases",
    "desk:measures": "cut_lines",
    "desk:measure": "cut_lines",
    "desk:task-done": "work_cases",
    "desk:hold": "work_cases",
    "desk:go-on": "let_go_on",
    "desk:resolvers": "configure",
    "desk:playbooks-upload": "edit_playbooks",
    "desk:playbook-draft": "edit_playbooks",
    "desk:playbook-try": "edit_playbooks",
    "desk:playbook-about": "edit_playbooks",
    "desk:playbook-step": "edit_playbooks",
    "desk:playbook-step-act": "edit_playbooks",
    "desk:playbook-act": "edit_playbooks",
    "desk:rule": "edit_rules",
    "desk:rule-new": "edit_rules",
    "desk:rule-act": "edit_rules",
    "desk:ignore-reporter": "edit_rules",
    "desk:file-complaint": "edit_rules",
    "login": ANYBODY,
    "logout": LOGGED_IN,
}

# What asks for no log-in of the desk: the customer's pages (a key in the address), programs (a key in a header).
OTHERS = ("portal:", "api:")
# Django's admin has rules of its own: test_admin.py.
ADMIN = "admin:"
