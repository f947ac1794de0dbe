"""What the program wrote, in Django's admin: looked at, never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from complaints import models


class ReadOnly(admin.ModelAdmin):
    """Looked at, never edited: these rows are written by verbs that keep the history true."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.AssignmentChange)
class AssignmentChangeAdmin(ReadOnly):
    list_display = ("prefix", "action", "why", "changed_at")
    list_filter = ("action",)
    search_fields = ("why",)
    fields = ("prefix", "action", "why", "changed_at", "before", "after")
    ordering = ("-id",)


@admin.register(models.WaitingLease)
class WaitingLeaseAdmin(ReadOnly):
    list_display = ("prefix", "kind", "value", "valid_from", "valid_until", "why", "source")
    list_filter = ("why", "kind")
    search_fields = ("value", "source")
    fields = ("prefix", "port_first", "port_last", "kind", "value", "others", "valid_from", "valid_until", "said_at",
              "why", "source")  # fmt: skip
    ordering = ("-id",)


@admin.register(models.FeedFault)
class FeedFaultAdmin(ReadOnly):
    list_display = ("source", "reason", "seen_at")
    search_fields = ("source", "reason")
    fields = ("source", "reason", "seen_at", "text")
    ordering = ("-id",)


@admin.register(models.FeedPosition)
class FeedPositionAdmin(ReadOnly):
    list_display = ("path", "reader", "line", "offset", "read_at")
    fields = ("path", "reader", "line", "offset", "read_at")


@admin.register(models.PlaybookVersion)
class PlaybookVersionAdmin(ReadOnly):
    list_display = ("name", "number", "state", "created_at")
    list_filter = ("state",)


@admin.register(models.Message)
class MessageAdmin(ReadOnly):
    list_display = ("id", "channel", "peer", "size", "received_at")
    fields = ("channel", "peer", "envelope_from", "envelope_to", "size", "received_at")
    ordering = ("-id",)


@admin.register(models.Case)
class CaseAdmin(ReadOnly):
    list_display = ("number", "contract", "category", "state", "priority", "opened_at")
    list_select_related = ("contract",)
    list_filter = ("state", "category")
    search_fields = ("contract__reference",)
    fields = (
        "contract", "category", "address_text", "state", "state_since", "customer_status", "resolution", "owner",
        "cause", "cause_confidence", "priority", "opened_at", "closed_at", "relapse_of", "playbook", "assignee",
    )  # fmt: skip
    ordering = ("-id",)


@admin.register(models.CaseEvent)
class CaseEventAdmin(ReadOnly):
    list_display = ("case", "at", "kind", "actor")
    list_select_related = ("case",)
    list_filter = ("kind",)
    ordering = ("-id",)


@admin.register(models.CheckRun)
class CheckRunAdmin(ReadOnly):
    list_display = ("check_name", "address_text", "state", "verdict", "reason", "queued_at")
    list_filter = ("check_name", "state", "verdict")
    fields = (
        "case", "check_name", "address_text", "port", "occasion", "state", "verdict", "reason", "details",
        "queued_at", "due_at", "started_at", "finished_at", "tries",
    )  # fmt: skip
    ordering = ("-id",)


@admin.register(models.Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("case", "step", "to_email", "state", "queued_at", "sent_at")
    list_select_related = ("case",)
    list_filter = ("state", "step")
    fields = ("case", "step", "occurrence", "to_name", "to_email", "language", "subject", "text", "state",
              "queued_at", "due_at", "sent_at", "tries", "problem")  # fmt: skip
    ordering = ("-id",)
