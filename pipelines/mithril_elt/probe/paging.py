"""What the pages told: what a limit counts, how they join, how the last one ends.

Stands in `probe` on `plan`; pure: from what was heard to a finding.
"""

from __future__ import annotations

from mithril_elt.findings import Finding
from mithril_elt.probe.asking import Heard
from mithril_elt.probe.counting import counted
from mithril_elt.probe.events import events_of
from mithril_elt.probe.plan import Notes

__all__ = ["cursors_expire", "default_limit", "empty_pages", "last_cursor", "limit_counts", "repeated_rows"]


def limit_counts(notes: Notes) -> Finding:
    """A page of limit 1 that has an instance with several events, or one event of an instance with several."""
    pages = notes.heard_of_limit_1
    found = counted(pages, notes.events("status_history"))
    if found is None:
        why = "no answer to limit=1 came from an instance that has more than one event" if pages else "nothing to page"
        return Finding("limit_counts", None, why, pages[0].evidence(*_told(pages[0])) if pages else {})
    value, page = found
    why = (
        "limit=1 brought one instance with all its events"
        if value == "instances"
        else "limit=1 brought one event of an instance that has more"
    )
    return Finding("limit_counts", value, why, page.evidence(*_told(page)))


def _told(page: Heard) -> list[dict[str, object]]:
    return [event.told for event in events_of(page)[:2]]


def repeated_rows(notes: Notes) -> Finding:
    """Whether a page has again what the page before it had."""
    if len(notes.walk) < 2:
        return Finding("repeated_rows", None, "there is no second page to look at")
    first, second = (events_of(page) for page in notes.walk)
    known = [event.same for event in notes.events("status_history")]
    again = [event for event in second if event.same in {each.same for each in first}]
    if any(known.count(event.same) > 1 for event in again):
        return Finding("repeated_rows", None, "the same event is told twice even on one page")
    if len(again) == len(second):
        return Finding("repeated_rows", None, "the second page has nothing new", notes.walk[1].evidence(again[0].told))
    if again:
        why = "a page has again what the page before it had"
        return Finding("repeated_rows", "true", why, notes.walk[1].evidence(first[-1].told, again[0].told))
    why = "a page goes on after the last row of the page before it"
    return Finding("repeated_rows", "false", why, notes.walk[1].evidence(first[-1].told, second[0].told))


def last_cursor(notes: Notes) -> Finding:
    """How pages behind which there is none say so."""
    last = [page for page in notes.log if page.accepted and page.cursor is None]
    null = [page for page in last if page.envelope.get("next_cursor", "") is None]
    absent = [page for page in last if "next_cursor" not in page.envelope]
    if not last:
        return Finding("last_cursor", None, "no last page was seen")
    if len(null) == len(last):
        why = f"each of {len(last)} last pages has a next_cursor that is null"
        return Finding("last_cursor", "null", why, null[0].evidence(beside={"next_cursor": None}))
    if len(absent) == len(last):
        why = f"none of {len(last)} last pages has a next_cursor"
        return Finding("last_cursor", "absent", why, absent[0].evidence(beside=absent[0].envelope))
    why = f"of {len(last)} last pages {len(null)} have a next_cursor that is null and {len(absent)} have none"
    return Finding("last_cursor", None, why, last[0].evidence(beside=last[0].envelope))


def empty_pages(notes: Notes) -> Finding:
    """Whether there are pages with a cursor and no rows."""
    empty = [page for page in notes.log if page.accepted and page.cursor and not page.rows]
    if empty:
        why = "a page has no rows, and a cursor that leads on"
        return Finding("empty_pages", "true", why, empty[0].evidence(beside={"next_cursor": "…"}))
    followed = [page for page in notes.log if page.accepted and "next_cursor" in page.params]
    if not followed:
        return Finding("empty_pages", None, "no list was long enough for a second page")
    why = "a page and the one behind it both have rows"
    return Finding("empty_pages", "false", why, followed[0].evidence(*_told(followed[0])[:1]))


def default_limit(notes: Notes) -> Finding:
    """How many instances are listed where no limit is asked for and there are more."""
    page = notes.instances
    if page is None or not page.rows:
        return Finding("default_limit", None, "the list of instances is empty")
    if page.cursor is None:
        why = f"all {len(page.rows)} instances came on one page: it is that many or more"
        return Finding("default_limit", None, why, page.evidence(beside={"next_cursor": None}))
    why = f"without a limit {len(page.rows)} instances came, and a cursor to more"
    return Finding("default_limit", str(len(page.rows)), why, page.evidence({"fid": page.rows[-1].fid}))


def cursors_expire(notes: Notes) -> Finding:
    """Seen only if a cursor happens to be refused right after it was given."""
    refused = [page for page in notes.log if "next_cursor" in page.params and not page.accepted]
    if refused:
        return Finding("cursors_expire", "true", "a cursor was refused right after it was given", refused[0].evidence())
    followed = sum("next_cursor" in page.params for page in notes.log)
    why = f"a moment cannot tell: of {followed} used at once none was refused; where one is, a walk begins anew"
    return Finding("cursors_expire", None, why)
