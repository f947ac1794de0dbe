"""Customers, contracts and what they hold, in Django's admin. All of it comes by imports; here it is mended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from complaints import models
from complaints.addresses import prefix_text
from complaints.admin.prefixes import PrefixForm
from complaints.admin.times import IN_DESK_ZONE
from complaints.attribution.importing.spans import Touched
from complaints.tasks import look_again_at


class ContactInline(admin.StackedInline):
    model = models.Contact
    extra = 0
    fields = (("name", "email"), ("role", "language"), ("problem", "problem_reason"))
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


class AssignmentForm(PrefixForm):
    class Meta:
        model = models.Assignment
        fields = ("contract", "kind", "valid_from", "valid_until", "port_first", "port_last")


@admin.register(models.Assignment)
class AssignmentAdmin(admin.ModelAdmin):
    formfield_overrides = IN_DESK_ZONE
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
    formfield_overrides = IN_DESK_ZONE
    list_display = ("kind", "value", "contract", "valid_from", "valid_until")
    list_select_related = ("contract",)
    list_filter = ("kind",)
    search_fields = ("value", "contract__reference")
    autocomplete_fields = ("contract",)
    show_full_result_count = False


@admin.register(models.HostedName)
class HostedNameAdmin(admin.ModelAdmin):
    formfield_overrides = IN_DESK_ZONE
    list_display = ("name", "contract", "valid_from", "valid_until")
    list_select_related = ("contract",)
    search_fields = ("name", "contract__reference")
    autocomplete_fields = ("contract",)
    show_full_result_count = False
