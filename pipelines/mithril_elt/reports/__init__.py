"""The reports: usage, uptime, cost, pause credits, reservations, reconciliation and a summary, asked of the marts.

The end of the flow: endpoints → client → source → load → raw → staging → intermediate → marts → reports.
"""

from mithril_elt.reports.compose import REPORT_NAMES, Report, known_up_to, report
from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.part import PARTS, known_ids
from mithril_elt.reports.render import FORMATS, render

__all__ = ["FORMATS", "GROUPINGS", "PARTS", "REPORT_NAMES", "Report", "known_ids", "known_up_to", "render", "report"]
