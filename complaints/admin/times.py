"""A point in time in a form of the admin: two fields, each with its name, and the zone that is meant."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import models


class NamedDateTime(AdminSplitDateTime):
    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        title = name.replace("_", " ").capitalize()
        for part, what in zip(context["widget"]["subwidgets"], ("date", "time"), strict=True):
            part["attrs"]["aria-label"] = f"{title}, {what}"
        return context


class DeskTime(forms.SplitDateTimeField):
    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        zone = f"Time zone: {settings.DISPLAY_TIME_ZONE}."
        super().__init__(*args, help_text=f"{zone} {help_text}".strip(), **kwargs)


IN_DESK_ZONE: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.DateTimeField: {"form_class": DeskTime, "widget": NamedDateTime}
}
