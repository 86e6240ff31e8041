"""The reports: usage, uptime, cost, credits, savings, reservations, reconciliation and a summary, asked of the marts.

The end of the flow: endpoints → client → source → load → raw → staging → intermediate → marts → reports.
"""

from mithril_elt.reports.as_of import marts_as_of
from mithril_elt.reports.chart import as_chart
from mithril_elt.reports.compose import REPORT_NAMES, Report, days_of, known_up_to, report
from mithril_elt.reports.groupings import GROUPINGS
from mithril_elt.reports.part import PARTS, known_ids
from mithril_elt.reports.render import FORMATS, render
from mithril_elt.reports.state import State, state_of

__all__ = [
    "FORMATS",
    "GROUPINGS",
    "PARTS",
    "REPORT_NAMES",
    "Report",
    "State",
    "as_chart",
    "days_of",
    "known_ids",
    "known_up_to",
    "marts_as_of",
    "render",
    "report",
    "state_of",
]
