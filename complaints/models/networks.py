from __future__ import annotations

from django.db import models

from complaints.addresses import prefix_key, prefix_text


class Prefixed(models.Model):
    """A row about an address or a prefix, `key` as complaints.addresses writes it."""

    class Meta:
        abstract = True

    key: models.BinaryField

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)

    @prefix.setter
    def prefix(self, text: str) -> None:
        self.key = prefix_key(text)


class Network(Prefixed):
    """Address space that is ours. What lies outside is "not ours" and is never probed."""

    key = models.BinaryField(max_length=17, unique=True, editable=False)
    name = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}".strip()


class SharedMachine(Prefixed):
    """A machine of ours on which many customers act: whoever holds its address is never accused of what they do.

    Of a mail relay only the login names the customer, of a web server only the name of the site.
    """

    class What(models.TextChoices):
        MAIL = "mail", "mail relay"
        WEB = "web", "web server"

    key = models.BinaryField(max_length=17, editable=False)
    what = models.CharField(max_length=4, choices=What.choices)
    name = models.CharField(max_length=200, blank=True, help_text="What people call it, as relay1.isp.example")
    tells_login = models.BooleanField(
        "its Received line tells the login",
        default=True,
        help_text="Mail relays: off where the relay writes no Received line of its own, or hides them: then a customer "
        "could forge one. Headers of ABUSEDESK_ACCOUNT_HEADERS count all the same",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "what"], name="shared_machine_once")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}".strip()


class NetworkContact(Prefixed):
    """Whom to write to about abuse from a network that is not ours, as its registry said (RDAP, RFC 9083)."""

    key = models.BinaryField(max_length=17, unique=True, editable=False, help_text="What the registry answered for")
    email = models.EmailField(max_length=254, blank=True, help_text="Empty: none is known")
    name = models.CharField(max_length=200, blank=True, help_text="Of the contact, or else of the network")
    handle = models.CharField(max_length=100, blank=True, help_text="The registry's own name of the network")
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is not known; empty: it is")
    fetched_at = models.DateTimeField()
    ask_again_at = models.DateTimeField(help_text="From then on the answer is too old to be believed")

    def __str__(self) -> str:
        return f"{self.prefix} {self.email or self.problem or 'no contact'}"
