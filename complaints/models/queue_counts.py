from __future__ import annotations

from django.db import models


class QueueCount(models.Model):
    """So many cases, messages, complaints or tasks more (or less) of one kind: a kind's count is the sum of its rows.

    Triggers add a row in the transaction of each change (models/queue_triggers.py), so two changes never wait for each
    other; cases/counting.py sums them up now and then, and proves them right once a night.
    """

    what = models.CharField(max_length=12, help_text="case, late, unread, unattributed or task")
    state = models.CharField(max_length=20, blank=True, help_text="The case's state, or the complaint's answer")
    holder_id = models.PositiveIntegerField(
        default=0, help_text="Id of the user who has the case; 0: nobody, or closed"
    )
    slot = models.PositiveIntegerField(
        default=0, help_text="late: the five minutes in which the deadline lies, numbered from 1970; 1: long ago"
    )
    number = models.IntegerField(help_text="How many more; negative: fewer")

    class Meta:
        indexes = [models.Index(fields=["slot"], name="queue_count_slot")]

    def __str__(self) -> str:
        return f"{self.what} {self.state}: {self.number:+}"
