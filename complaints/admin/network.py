"""Our networks in Django's admin, what many customers share, what is never tested, and the lists that are asked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from complaints import models
from complaints.addresses import prefix_key
from complaints.admin.prefixes import PrefixForm
from complaints.blacklists.editing import BlacklistForm


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
