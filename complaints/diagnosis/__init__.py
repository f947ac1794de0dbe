"""Evidence → probable cause, with reasons. Pure. A guess orders the checks; only a check proves anything.

sighting.py   one complaint → its clues        mail_path.py   the clues of its Received lines
pattern.py    clues of all complaints together clues.py       what each clue is worth
combine.py    clues and checks → the cause of the case
"""

from ..vocabulary import Diagnosis, ParsedComplaint
from .combine import diagnose_case
from .sighting import Sighting, look_at

__all__ = ["Sighting", "diagnose_case", "diagnose_complaint", "look_at"]


def diagnose_complaint(complaint: ParsedComplaint) -> Diagnosis:
    """Guess the cause of one complaint; Cause.UNKNOWN with confidence 0 and the reason when nothing speaks."""
    return diagnose_case([look_at(complaint)], relay=None, listing_causes=())
