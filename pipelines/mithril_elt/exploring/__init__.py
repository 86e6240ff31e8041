"""What the notebooks share: the database they ask, the controls above them, how their charts and tables look.

Stands at the end of the flow, on `opened`: marts → reports → DataFrames → notebooks. Needs `mithril-elt[notebooks]`.
"""

from mithril_elt.exploring.choices import Chosen, Controls, quoted
from mithril_elt.exploring.connecting import connected, plainly
from mithril_elt.exploring.looks import Looks, dressed
from mithril_elt.exploring.tables import as_table, facts

__all__ = ["Chosen", "Controls", "Looks", "as_table", "connected", "dressed", "facts", "plainly", "quoted"]
