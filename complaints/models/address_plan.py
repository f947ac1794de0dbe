from __future__ import annotations

from django.db import models

from complaints.addresses import prefix_text


class AddressPlanVersion(models.Model):
    """One row: a random value that triggers change with our networks, shared machines and prefix lengths in use, with
    the first lease that waits, and with a feed of leases that is removed or set back.

    So a process that remembers those learns, in the statement of each look-up, whether they are still as they were,
    whoever changed them. SQLite forgets triggers when a migration rebuilds one of these tables: such a migration must
    make them again (and, after Assignment, its index assignment_long).
    """

    value = models.CharField(max_length=36)
    has_waiting = models.BooleanField(
        null=True, help_text="Whether leases of unknown holders ever waited: only then a look-up asks for them"
    )

    def __str__(self) -> str:
        return self.value


class PrefixInUse(models.Model):
    """Each prefix that was ever assigned, once: triggers on Assignment add it, nobody takes it back.

    Of the dozen prefixes around an address one or two were ever assigned. This table is a tenth of the history and
    says which, so the history is asked for those alone.
    """

    key = models.BinaryField(primary_key=True, max_length=17, editable=False)
    longest = models.BigIntegerField(
        null=True,
        help_text="Seconds; no holding of it with an end was ever longer. For the rule of one holder, on SQLite alone",
    )

    def __str__(self) -> str:
        return prefix_text(self.key)
