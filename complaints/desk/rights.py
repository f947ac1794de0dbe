"""What somebody may do, by their roles and their restriction."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from complaints.desk.roles import Can, allowed
from complaints.models import User


def capabilities(user: User | AnonymousUser) -> frozenset[Can]:
    """What `user` may do: one look at their groups a request, none for superusers."""
    if not user.is_authenticated:
        return frozenset()
    return frozenset(Can) if user.is_superuser else allowed(user.role_names, restricted=user.is_restricted)


def can(user: User | AnonymousUser, what: str) -> bool:
    """Raises ValueError for what is no capability: a slip must not look like a refusal."""
    return Can(what) in capabilities(user)


def is_restricted(user: User | AnonymousUser) -> bool:
    """A superuser never is: who could lift it?"""
    return user.is_authenticated and user.is_restricted and not user.is_superuser
