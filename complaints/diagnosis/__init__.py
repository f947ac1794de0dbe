"""Evidence → probable cause, with reasons. Pure. A guess orders the checks; only a check proves anything."""

from .mail_path import diagnose_complaint

__all__ = ["diagnose_complaint"]
