from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

COLOUR = re.compile(r"#[0-9a-f]{6}")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3


def contrast_with_white(colour: str) -> float:
    """Of "#rrggbb", as WCAG 2.2 reckons it: 1 to 21."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def check_colour(colour: str) -> None:
    if not COLOUR.fullmatch(colour):
        raise ValidationError(f"Write the colour as #0b5cad: six hexadecimal digits in small letters, not {colour!r}")
    if (found := contrast_with_white(colour)) < LEAST_CONTRAST:
        raise ValidationError(f"White words cannot be read on it: contrast {found:.1f}, needed {LEAST_CONTRAST}")


class Brand(models.Model):
    """Under which name the desk writes to customers of one brand: sender, colour and sign-off of letters and pages."""

    name = models.CharField(max_length=100, unique=True, help_text="As it stands in the contracts' column brand")
    title = models.CharField(max_length=100, help_text="What customers read as the sender, as Nordnetz")
    email = models.EmailField(
        max_length=254, blank=True,
        help_text="Sender, and where answers go: it and bounce+…@ its domain must reach our listener. Empty: "
        "ABUSEDESK_EMAIL",
    )  # fmt: skip
    phone = models.CharField(max_length=60, blank=True, help_text="Stands below each letter and on the customer's page")
    colour = models.CharField(
        max_length=7, blank=True, validators=[check_colour],
        help_text="Of the bar and the button, as #0b5cad; white words must be readable on it. Empty: our own blue",
    )  # fmt: skip
    signature = models.TextField(
        max_length=500, blank=True, help_text="Below each letter: name, address and register number of the company"
    )
    default = models.BooleanField(default=False, help_text="For contracts of no brand, or of one that is not listed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["default"], condition=Q(default=True), name="one_default_brand")]

    def __str__(self) -> str:
        return self.title
