"""Bytes → records. Pure: no database, no network, no clock. `read_message` is the only door."""

from .errors import MalformedComplaint
from .reading import read_message

__all__ = ["MalformedComplaint", "read_message"]
