"""People and keys in Django's admin: one role each, a restriction, and the way back to a lost second factor."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from complaints.cases.scope import problems_of
from complaints.desk.people import give_role, reset_second_factor
from complaints.desk.roles import Role
from complaints.models import ApiKey, User

ROLES = [("", "none yet: sees nothing"), *((role.value, role.value) for role in Role)]


class LinesField(forms.CharField):
    """A list kept as JSON, written one to a line."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return list(dict.fromkeys(line.strip() for line in str(super().clean(value)).splitlines() if line.strip()))


class RestrictionForm(forms.ModelForm):
    only_networks = LinesField(
        required=False, help_text="Prefixes, one to a line, as 192.0.2.0/24. Empty: all networks."
    )
    only_brands = LinesField(
        required=False, help_text="Brands as the contracts name them, one to a line. Empty: all brands."
    )

    def clean_only_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["only_networks"]
        if problems := problems_of(networks):
            raise forms.ValidationError(problems)
        return networks


class DeskUserForm(RestrictionForm, UserChangeForm):
    role = forms.ChoiceField(choices=ROLES, required=False, help_text="What each may do: docs/access.md.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["role"] = next((role.value for role in Role if role in self.instance.role_names), "")


class NewDeskUserForm(AdminUserCreationForm):
    role = forms.ChoiceField(choices=ROLES, initial=Role.ANALYST.value, required=False)


class DeskUserAdmin(UserAdmin):
    form, add_form = DeskUserForm, NewDeskUserForm
    list_display = ("username", "get_full_name", "role", "restriction", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    filter_horizontal = ()
    readonly_fields = ("is_superuser", "last_login", "date_joined")
    actions = ("reset_factor",)
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role", {"fields": ("role", "is_superuser")}),
        (
            "Restriction",
            {
                "fields": ("only_networks", "only_brands"),
                "description": "Where both are given, both must hold. Pages that show all networks at once close.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2", "role")}),)

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return "superuser" if user.is_superuser else ", ".join(sorted(user.role_names)) or "none"

    @admin.display(description="Only")
    def restriction(self, user: User) -> str:
        return ", ".join([*user.only_networks, *user.only_brands]) or "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser is changed by superusers alone, or an administrator could become one."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    has_delete_permission = has_change_permission

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who gives out rights says again who they are."""
        if request.method == "POST":
            raise_if_reauthentication_required(request, app="complaints")
        return super().changeform_view(request, *args, **kwargs)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            raise_if_reauthentication_required(request, app="complaints")
        return super().user_change_password(request, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        give_role(form.instance, form.cleaned_data.get("role") or None)

    @admin.action(description="Take the second factor away, and log out everywhere", permissions=["change"])
    def reset_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        raise_if_reauthentication_required(request, app="complaints")
        for user in chosen:
            if self.has_change_permission(request, user):
                reset_second_factor(user)
                self.log_change(request, user, "Second factor taken away, sessions ended")
                self.message_user(request, f"{user} sets up a new second factor at the next log-in.")


class ApiKeyAdmin(admin.ModelAdmin):
    """Keys are made by manage.py make_api_key, which shows the key once; here they are restricted and revoked."""

    form = RestrictionForm
    list_display = ("name", "scopes", "created_by", "created_at", "last_used_at", "revoked_at")
    readonly_fields = ("name", "scopes", "created_by", "created_at", "last_used_at", "revoked_at")
    fields = ("name", "scopes", "only_networks", "only_brands", *readonly_fields[2:])
    search_fields = ("name",)
    actions = ("revoke",)
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        count = chosen.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"Revoked: {count}. Their programs are refused from now on.", messages.SUCCESS)
