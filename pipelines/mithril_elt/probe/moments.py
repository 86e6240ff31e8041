"""What one moment cannot tell, where it is told instead, and what was seen of it by chance.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from mithril_elt.findings import Finding
from mithril_elt.probe.plan import Notes

__all__ = ["leaves_list_hours", "told_elsewhere"]

_ENDED = frozenset({"STATUS_TERMINATED", "STATUS_REPLACED"})
_ELSEWHERE = {
    "late_hours": "how late rows of several runs came is in `status`",
    "withdrawn_hours": "a later run finds what is no longer told, and the raw tables keep when",
    "corrected_hours": "a later run finds what is told otherwise, and the raw tables keep both",
    "pause_clock": "`report reconciliation` compares the vendor's sums with each way to count",
    "active_hours": "`report reconciliation` compares the vendor's sums with each way to count",
}


def told_elsewhere(reading: str, _notes: Notes) -> Finding:
    """That a moment cannot tell, and what does."""
    return Finding(reading, None, f"a moment cannot tell: {_ELSEWHERE[reading]}")


def leaves_list_hours(notes: Notes) -> Finding:
    """Never a value; but whether an instance is seen that has left the list, or one that ended and has not."""
    why = "a moment cannot tell after how many hours"
    page, base = notes.instances, notes.base("status_history")
    if page is None or page.cursor is not None:
        return Finding("leaves_list_hours", None, f"{why}: the list was not seen to its end")
    listed = {row.fid for row in page.rows}
    gone = next((row.instance_fid for row in base.rows if row.instance_fid not in listed), None) if base else None
    if base and gone:
        return Finding(
            "leaves_list_hours", None, f"{why}; {gone} has left the list", base.evidence({"instance_fid": gone})
        )
    ended = next((row for row in page.rows if row.status in _ENDED), None)
    if ended:
        row = {"fid": ended.fid, "status": ended.status}
        return Finding("leaves_list_hours", None, f"{why}; {ended.fid} has ended and is listed", page.evidence(row))
    return Finding("leaves_list_hours", None, f"{why}; no instance has ended")
