"""Django's admin, for rare configuration. What the desk decides is read here and never edited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from complaints import models
from complaints.addresses import prefix_key, prefix_text
from complaints.attribution.importing.spans import Touched
from complaints.blacklists.editing import BlacklistForm
from complaints.desk.brand_form import send_sample, show_sample
from complaints.desk.letter_form import LetterForm, show_preview
from complaints.desk.user_admin import ApiKeyAdmin, DeskUserAdmin
from complaints.notices.own_letters import save_letter
from complaints.portal.languages import languages
from complaints.tasks import look_again_at


class PrefixField(forms.CharField):
    """192.0.2.0/24 or 2001:db8::/48 as text; the bytes behind it are nobody's business."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            prefix_key(text)
        except ValueError as exc:
            raise ValidationError(f"Write a prefix as 192.0.2.0/24 or 2001:db8::/48: {exc}") from exc
        return str(text)


class PrefixForm(forms.ModelForm):
    """A model with `prefix` over the bytes in `key`, written as text."""

    prefix_text = PrefixField(label="Prefix", max_length=50)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["prefix_text"] = self.instance.prefix

    def _post_clean(self) -> None:
        if prefix := self.cleaned_data.get("prefix_text"):
            self.instance.prefix = prefix
        super()._post_clean()  # type: ignore[misc]


class ReadOnly(admin.ModelAdmin):
    """Looked at, never edited: these rows are written by verbs that keep the history true."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ContactInline(admin.TabularInline):
    model = models.Contact
    extra = 0
    fields = ("name", "email", "role", "language", "problem", "problem_reason")
    readonly_fields = ("problem_reason",)


@admin.register(models.Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ("reference", "name")
    search_fields = ("reference", "name")
    show_full_result_count = False


@admin.register(models.Contract)
class ContractAdmin(admin.ModelAdmin):
    list_display = ("reference", "customer", "product", "brand")
    list_select_related = ("customer",)
    search_fields = ("reference", "customer__reference", "customer__name")
    autocomplete_fields = ("customer",)
    inlines = (ContactInline,)
    show_full_result_count = False


class NetworkForm(PrefixForm):
    class Meta:
        model = models.Network
        fields = ("name",)

    def clean_prefix_text(self) -> str:
        prefix = self.cleaned_data["prefix_text"]
        if models.Network.objects.filter(key=prefix_key(prefix)).exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"{prefix} is a network already.")
        return str(prefix)


@admin.register(models.Network)
class NetworkAdmin(admin.ModelAdmin):
    form = NetworkForm
    fields = ("prefix_text", "name")
    list_display = ("prefix", "name")
    search_fields = ("name",)
    ordering = ("key",)


class SharedMachineForm(PrefixForm):
    class Meta:
        model = models.SharedMachine
        fields = ("what", "name", "tells_login")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        prefix, what = found.get("prefix_text"), found.get("what")
        known = models.SharedMachine.objects.exclude(pk=self.instance.pk)
        if prefix and known.filter(key=prefix_key(prefix), what=what).exists():
            raise ValidationError(f"{prefix} is such a machine already.")
        return found


@admin.register(models.SharedMachine)
class SharedMachineAdmin(admin.ModelAdmin):
    form = SharedMachineForm
    fields = ("prefix_text", "what", "name", "tells_login")
    list_display = ("prefix", "what", "name", "tells_login")
    list_filter = ("what",)
    search_fields = ("name",)
    ordering = ("key",)


class CheckOptOutForm(PrefixForm):
    class Meta:
        model = models.CheckOptOut
        fields = ("note",)

    def clean_prefix_text(self) -> str:
        prefix = self.cleaned_data["prefix_text"]
        if models.CheckOptOut.objects.filter(key=prefix_key(prefix)).exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"{prefix} is left out already.")
        return str(prefix)


@admin.register(models.CheckOptOut)
class CheckOptOutAdmin(admin.ModelAdmin):
    form = CheckOptOutForm
    fields = ("prefix_text", "note")
    list_display = ("prefix", "note", "created_at")
    search_fields = ("note",)
    ordering = ("key",)


class AssignmentForm(PrefixForm):
    class Meta:
        model = models.Assignment
        fields = ("contract", "kind", "valid_from", "valid_until", "port_first", "port_last")


@admin.register(models.Assignment)
class AssignmentAdmin(admin.ModelAdmin):
    form = AssignmentForm
    fields = ("prefix_text", "contract", "kind", "valid_from", "valid_until", "port_first", "port_last")
    list_display = ("prefix", "contract", "kind", "valid_from", "valid_until", "port_first", "port_last")
    list_select_related = ("contract",)
    list_filter = ("kind",)
    search_fields = ("contract__reference",)
    autocomplete_fields = ("contract",)
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: models.Assignment, form: Any, change: bool) -> None:
        before = spans_of(models.Assignment.objects.filter(pk=obj.pk))
        super().save_model(request, obj, form, change)
        self.ask_again(request, before + spans_of([obj]))

    def delete_model(self, request: HttpRequest, obj: models.Assignment) -> None:
        before = spans_of([obj])
        super().delete_model(request, obj)
        self.ask_again(request, before)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[models.Assignment]) -> None:
        before = spans_of(queryset)
        super().delete_queryset(request, queryset)
        self.ask_again(request, before)

    def ask_again(self, request: HttpRequest, spans: list[Touched]) -> None:
        """After the commit: whose the complaints of these addresses and times are now; who may move them is told."""
        prefixes = sorted({prefix_text(span.key) for span in spans})
        because = f"{prefixes[0]}{' and others' if len(prefixes) > 1 else ''} edited by {request.user}"

        def look() -> None:
            looked = look_again_at(spans, because=because, actor=str(request.user))
            if looked.proposed:
                told = 'Complaints that are perhaps another contract\'s: {}. <a href="{}">Look before they move</a>.'
                text = format_html(told, looked.proposed, reverse("desk:corrections"))
                self.message_user(request, text, messages.WARNING)

        transaction.on_commit(look)


def spans_of(rows: Iterable[models.Assignment]) -> list[Touched]:
    return [Touched(bytes(row.key), row.valid_from, row.valid_until) for row in rows]


@admin.register(models.LineIdentifier)
class LineIdentifierAdmin(admin.ModelAdmin):
    list_display = ("kind", "value", "contract", "valid_from", "valid_until")
    list_select_related = ("contract",)
    list_filter = ("kind",)
    search_fields = ("value", "contract__reference")
    autocomplete_fields = ("contract",)
    show_full_result_count = False


@admin.register(models.HostedName)
class HostedNameAdmin(admin.ModelAdmin):
    list_display = ("name", "contract", "valid_from", "valid_until")
    list_select_related = ("contract",)
    search_fields = ("name", "contract__reference")
    autocomplete_fields = ("contract",)
    show_full_result_count = False


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


@admin.register(models.Reporter)
class ReporterAdmin(admin.ModelAdmin):
    list_display = ("address", "authenticated", "no_mail", "wants", "first_seen_at")
    list_filter = ("authenticated", "no_mail", "wants", "trust")
    search_fields = ("address",)
    fields = ("address", "authenticated", "trust", "wants", "no_mail", "note", "first_seen_at")  # the rest is measured
    readonly_fields = ("first_seen_at",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


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


@admin.register(models.Brand)
class BrandAdmin(admin.ModelAdmin):
    """A brand that letters went out under is kept: they name it."""

    list_display = ("title", "name", "email", "phone", "default")
    search_fields = ("name", "title")

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view
        return [
            path("<int:pk>/letter/", wrapped(show_sample), name="complaints_brand_sample"),
            path("<int:pk>/test-mail/", wrapped(send_sample), name="complaints_brand_send"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        shown = {"letter_languages": [(each.code, each.name) for each in languages()]}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | shown)


@admin.register(models.LetterText)
class LetterTextAdmin(ReadOnly):
    """Each save is a version; an older one comes back by saving its text again, the file by saving an empty one."""

    form = LetterForm
    list_display = ("__str__", "language", "step", "cause", "version", "written_by", "written_at")
    list_filter = ("language", "step")
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(show_preview)
        return [path("preview/", view, name="complaints_lettertext_preview"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: models.LetterText, form: Any, change: bool) -> None:
        kept = save_letter(
            language=obj.language, step=obj.step, cause=obj.cause, source=obj.source,
            actor=request.user.get_username(), now=timezone.now(),
        )  # fmt: skip
        obj.pk, obj.version, obj.written_by, obj.written_at = kept.pk, kept.version, kept.written_by, kept.written_at


@admin.register(models.Blacklist)
class BlacklistAdmin(admin.ModelAdmin):
    """A list is switched off, not deleted: what it said of our addresses stays true."""

    form = BlacklistForm
    list_display = ("name", "zone", "enabled", "weight", "per_day", "origin")
    list_filter = ("enabled",)
    search_fields = ("name", "zone")
    readonly_fields = ("origin",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "origin")}),
        ("Where it is asked", {"fields": ("zone", "zone6", "key", "families", "six_by")}),
        ("What it answers", {"fields": ("answers", "codes_text", "errors_text", "cause", "weight")}),
        ("How much it may be asked", {"fields": ("per_second", "per_day", "in_flight")}),
        ("Getting out", {"fields": ("delisting", "how", "who")}),
        ("Notes", {"fields": ("note", "source")}),
    )

    @admin.display(description="Shipped or yours")
    def origin(self, row: models.Blacklist) -> str:
        if not row.shipped:
            return "your own"
        changed = "; ".join(f"{name}: shipped {was!r}" for name, (was, _) in row.differences.items())
        if row.withdrawn:
            return "not shipped any more: perhaps it is dead"
        return f"shipped, changed here ({changed})"[:500] if changed else "shipped"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.register(models.User, DeskUserAdmin)
admin.site.register(models.ApiKey, ApiKeyAdmin)
