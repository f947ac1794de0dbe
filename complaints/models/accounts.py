from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property


class User(AbstractUser):
    """Somebody who works at the desk. Demo accounts exist in demo mode only; a production start refuses them."""

    is_demo = models.BooleanField(default=False, editable=False)

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of their groups; what each may do: complaints/desk/roles.py. Read once for an object."""
        return frozenset(self.groups.values_list("name", flat=True))
