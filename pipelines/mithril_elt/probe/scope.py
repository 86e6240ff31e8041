"""Whether a history may be asked for by project alone.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.plan import Notes

__all__ = ["project_alone"]

_NARROWER = ("bid_fid", "reservation_fid", "instance_fid")


def project_alone(notes: Notes) -> Finding:
    """Accepted, if both histories answered with rows; refused, if a narrower question was not."""
    tries = notes.tries.get("status_history", [])
    alone = next((heard for heard in tries if _is_alone(heard)), None)
    if alone is None:
        return Finding("project_alone", None, "it was not asked")
    if not alone.accepted:
        return _refused(alone, any(heard.accepted for heard in tries))
    if not alone.rows:
        return Finding(
            "project_alone", None, "the answer has no rows: nobody knows whether it should", alone.evidence()
        )
    prices = next((heard for heard in notes.tries.get("price_history", []) if _is_alone(heard)), None)
    if prices is not None and not prices.accepted:
        why = f"the histories differ: the status history was told, the price history refused ({prices.status})"
        return Finding("project_alone", None, why, prices.evidence())
    row = {key: value for key, value in alone.raw[0].items() if key != "events"}
    return Finding("project_alone", "accepted", f"{len(alone.rows)} instances were told", alone.evidence(row))


def _refused(alone: Heard, narrower_is_accepted: bool) -> Finding:
    if not narrower_is_accepted:
        why = f"it was refused ({alone.status}), and nothing narrower was asked and accepted"
        return Finding("project_alone", None, why, alone.evidence())
    value = str(alone.status) if alone.status in {400, 422} else None
    return Finding(
        "project_alone", value, f"it was refused ({alone.status}); a narrower question is accepted", alone.evidence()
    )


def _is_alone(heard: Heard) -> bool:
    return not any(name in heard.params for name in _NARROWER)
