"""Brands and letters in the desk's own words, in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone

from complaints import models
from complaints.admin.looked_at import ReadOnly
from complaints.desk.brand_form import send_sample, show_sample
from complaints.desk.letter_form import LetterForm, show_preview
from complaints.notices.own_letters import save_letter
from complaints.portal.languages import languages


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
