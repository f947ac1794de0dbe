from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property


class Restricted(models.Model):
    """Somebody, or a program, who may be kept to a part of the address space or to some brands.

    Where both are given, both must hold. Empty lists mean everything; complaints/cases/scope.py applies it.
    """

    only_networks = models.JSONField(
        "only these networks", default=list, blank=True, help_text='Prefixes such as "192.0.2.0/24"; empty: all'
    )
    only_brands = models.JSONField(
        "only these brands", default=list, blank=True, help_text="Brands as the contracts name them; empty: all"
    )

    class Meta:
        abstract = True

    @property
    def is_restricted(self) -> bool:
        return bool(self.only_networks or self.only_brands)


class User(AbstractUser, Restricted):
    """Somebody who works at the desk. Demo accounts exist in demo mode only; a production start refuses them."""

    is_demo = models.BooleanField(default=False, editable=False)

    def __str__(self) -> str:
        return self.get_username()

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of their groups; what each may do: complaints/desk/roles.py. Read once for an object."""
        return frozenset(self.groups.values_list("name", flat=True))


class AccessLog(models.Model):
    """Who read whose data when, and for which case. Written when it is read, never changed, deleted after a while.

    Kept apart from the case's history, because a case's history is read by everybody who works on it.
    """

    class What(models.TextChoices):
        CASE = "case", "opened a case found by search"
        SEARCH = "search", "searched for a person, an address or a text"
        CUSTOMER = "customer", "opened a customer or a contract"
        WHOSE = "whose", "asked who held an address"
        MESSAGE = "message", "read a message as it came in"
        RAW = "raw", "downloaded a message or a file of it"
        REPORTER = "reporter", "looked at a reporter"
        EXPORT = "export", "took a list out of the program"

    at = models.DateTimeField()
    who = models.CharField(max_length=150, help_text="The user name, as it was; key: and a name for a program")
    what = models.CharField(max_length=20, choices=What.choices)
    about = models.CharField(max_length=200, help_text="Whose: a reference, an address, a number of a message, a text")
    case = models.CharField(max_length=20, blank=True, default="", help_text="Number of the case that was at hand")
    came_from = models.CharField(max_length=45, blank=True, default="", help_text="The reader's own address")

    class Meta:
        indexes = [
            models.Index(fields=["who", "-id"], name="access_log_who"),
            models.Index(fields=["about", "-id"], name="access_log_about"),
            models.Index(fields=["case", "-id"], name="access_log_case", condition=~Q(case="")),
            models.Index(fields=["at"], name="access_log_at"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.get_what_display()}: {self.about}"


class SharedCount(models.Model):
    """What the log-in counts to slow guessing down, shared by all processes: the table of Django's database cache."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
