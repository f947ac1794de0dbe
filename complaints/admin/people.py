"""Who works here and who complains, in Django's admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from complaints import models
from complaints.desk.user_admin import ApiKeyAdmin, DeskUserAdmin


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


admin.site.register(models.User, DeskUserAdmin)
admin.site.register(models.ApiKey, ApiKeyAdmin)
