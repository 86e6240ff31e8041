"""The dashboard: one page for a team and its finance person, served to be read, or as one file.

Stands at the end of the flow, on `reports`: marts → reports → here. The figures are those of the reports.
"""

from mithril_elt.dashboard.app import create_app
from mithril_elt.dashboard.export import static_page
from mithril_elt.dashboard.figures import Source
from mithril_elt.dashboard.guard import is_loopback
from mithril_elt.dashboard.server import listen, serve_forever, url_of
from mithril_elt.dashboard.state import State

__all__ = ["Source", "State", "create_app", "is_loopback", "listen", "serve_forever", "static_page", "url_of"]
