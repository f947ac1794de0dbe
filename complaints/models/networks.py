from __future__ import annotations

from django.db import models

from complaints.addresses import prefix_key, prefix_text


class Network(models.Model):
    """Address space that is ours. What lies outside is "not ours" and is never probed."""

    key = models.BinaryField(max_length=17, unique=True, editable=False)
    name = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}".strip()

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)

    @prefix.setter
    def prefix(self, text: str) -> None:
        self.key = prefix_key(text)
