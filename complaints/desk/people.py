"""Who works at the desk, and as what."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.db import transaction

from complaints.desk.roles import Role
from complaints.models import User


def give_role(user: User, role: Role | str | None) -> None:
    """Make `user` a `role` and nothing else, or nothing; groups that are no role of the desk are left alone."""
    with transaction.atomic():
        user.groups.remove(*user.groups.filter(name__in=set(Role) - {role}))
        if role:
            user.groups.add(Group.objects.get_or_create(name=Role(role).value)[0])
    user.__dict__.pop("role_names", None)  # what the object remembers


def reset_second_factor(user: User) -> None:
    """For who lost phone, key and recovery codes: the next log-in sets up a new one. Safe to repeat."""
    Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
