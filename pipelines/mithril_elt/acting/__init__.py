"""From what the reports find to what is done about it: instances that stand idle are paused, on a word of the user's.

Stands on `reports` and `api`: rules and a table of use → `candidates` → `pausing` → `journal` → `earned`.
"""

from mithril_elt.acting.candidates import find_candidates
from mithril_elt.acting.earned import Action, read_actions
from mithril_elt.acting.journal import Journal
from mithril_elt.acting.pausing import Outcome, Pausing, request_body
from mithril_elt.acting.rules import REASONS, Candidate, Rules

__all__ = [
    "REASONS",
    "Action",
    "Candidate",
    "Journal",
    "Outcome",
    "Pausing",
    "Rules",
    "find_candidates",
    "read_actions",
    "request_body",
]
