"""Whose line was it, at that second, on that port: a contract with reason and confidence, or why nobody is named.

    [holding] = attribute([Question(address_key("192.0.2.1"), 2047, seen_at)])

No owner is better than a wrong owner. decision.py decides (pure), wording.py puts it in words, lookup.py
asks the database, resolvers/ are the sources of truth, importing/ fills them.
"""

from complaints.attribution.answers import Holding, Question
from complaints.attribution.chain import attribute

__all__ = ["Holding", "Question", "attribute"]
