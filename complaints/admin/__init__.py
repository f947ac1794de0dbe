"""Django's admin, for rare configuration. What the desk decides is read here and never edited."""

from complaints.admin import customers, letters, looked_at, network, people

__all__ = ["customers", "letters", "looked_at", "network", "people"]
