"""Who works at the desk, and as what."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction

from complaints.desk.roles import Role
from complaints.models import User


def give_role(user: User, role: Role | str) -> None:
    """Make `user` a `role` and nothing else; groups that are no role of the desk are left alone. Safe to repeat."""
    with transaction.atomic():
        user.groups.remove(*user.groups.filter(name__in=set(Role) - {Role(role)}))
        user.groups.add(Group.objects.get_or_create(name=Role(role).value)[0])
    user.__dict__.pop("role_names", None)  # what the object remembers
