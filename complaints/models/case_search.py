from __future__ import annotations

from django.db import models

from complaints.models.cases import Case


class CaseText(models.Model):
    """The words by which a case is found, each once: of its customer, complaints, reporters and notes.

    PostgreSQL has a GIN index over them, SQLite an FTS5 table that triggers keep (models/queue_triggers.py).
    """

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.CASCADE, related_name="text")
    words = models.TextField(help_text="Lower case, without accents, with a space between; c:… customer, r:… reporter")
    upto = models.BigIntegerField(default=0, help_text="The youngest complaint whose words are among them")

    def __str__(self) -> str:
        return f"words of case {self.case_id}"


class CaseTextDue(models.Model):
    """A case whose words must be read (again): triggers add a row, the sweep takes them away."""

    case_id = models.BigIntegerField()
    anew = models.BooleanField(default=False, db_default=False, help_text="From the beginning: something left the case")

    def __str__(self) -> str:
        return f"words due of case {self.case_id}"


class CaseAddress(models.Model):
    """Each address that a case's complaints name, once. Triggers on Complaint add it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="addresses", db_constraint=False)
    address = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "case"], name="case_address_once")]

    def __str__(self) -> str:
        return f"address of case {self.case_id}"
