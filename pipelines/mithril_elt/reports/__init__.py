"""The reports: usage, uptime, cost, chargeback, credits, savings, reservations and others, asked of the marts.

The end of the flow: endpoints → client → source → load → raw → staging → intermediate → marts → reports.
"""

from mithril_elt.reports.as_of import marts_as_of
from mithril_elt.reports.chart import as_chart
from mithril_elt.reports.compose import REPORT_NAMES, Report, days_of, known_up_to, report
from mithril_elt.reports.groupings import EVERY_GROUPING, GROUPINGS
from mithril_elt.reports.names import with_names
from mithril_elt.reports.part import PARTS, known_ids
from mithril_elt.reports.render import FORMATS, render
from mithril_elt.reports.return_now import Assumptions
from mithril_elt.reports.rules import Rule, read_rules
from mithril_elt.reports.state import State, state_of
from mithril_elt.reports.use import UseTable

__all__ = [
    "EVERY_GROUPING",
    "FORMATS",
    "GROUPINGS",
    "PARTS",
    "REPORT_NAMES",
    "Assumptions",
    "Report",
    "Rule",
    "State",
    "UseTable",
    "as_chart",
    "days_of",
    "known_ids",
    "known_up_to",
    "marts_as_of",
    "read_rules",
    "render",
    "report",
    "state_of",
    "with_names",
]
