"""APIs that no switch of the sandbox makes: what proves nothing there is not told as if it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mithril_elt.probe import probe
from scripted import KEY, Answer, Asked, scripted

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = "NEW CONFIRMED STARTING RUNNING PAUSED RUNNING PREEMPTING PREEMPTED RUNNING STOPPING TERMINATED"
STATUSES = WORDS.split()

Event = tuple[str, datetime, str]  # whose, when, what


def story(fid: str, offset_min: int, length: int = len(STATUSES)) -> list[Event]:
    """The events of an instance, half an hour apart."""
    return [
        (fid, BEGIN + timedelta(minutes=30 * number + offset_min), f"STATUS_{status}")
        for number, status in enumerate(STATUSES[:length])
    ]


@dataclass
class Api:
    """An API over these events, oddly made: each behaviour may be another for the two histories."""

    events: list[Event]
    order: Mapping[str, bool]  # by history: whether events are told backwards
    selects: Mapping[str, str]
    refuses_alone: frozenset[str] = frozenset()
    ignores: frozenset[str] = frozenset()  # parameters that it does not look at
    cuts: Callable[[list[Event], int], int] = lambda _, limit: limit
    bounds: Callable[[datetime, datetime], bool] = datetime.__ge__

    def __call__(self, asked: Asked) -> Answer:
        """The answer."""
        if asked.path == "/v2/projects":
            return Answer(body=[{"fid": "proj_a", "name": "a", "created_at": None}])
        query = {name: value for name, value in asked.query.items() if name not in self.ignores}
        if asked.path == "/v2/instances":
            return self.listed()
        history = "pricing" if "pricing" in asked.path else "status"
        if history in self.refuses_alone and not {"bid_fid", "instance_fid"} & query.keys():
            return Answer(422, {"detail": "narrower"})
        return self.told(history, query)

    def listed(self) -> Answer:
        """All instances."""
        rows = [
            {"fid": fid, "project": "proj_a", "status": "STATUS_TERMINATED", "bid": "bid_1", "created_at": None}
            for fid in dict.fromkeys(fid for fid, _, _ in self.events)
        ]
        return Answer(body={"data": rows, "next_cursor": None})

    def told(self, history: str, query: Mapping[str, str]) -> Answer:
        """A page of a history that counts events over all instances, by time."""
        found = sorted(
            self.selected(history, query), key=lambda event: event[1], reverse=self.order.get(history, False)
        )
        begin, limit = int(query.get("next_cursor", "0")), int(query.get("limit", "100"))
        page = found[begin : begin + self.cuts(found, limit)]
        more = str(begin + len(page)) if begin + len(page) < len(found) else None
        by_fid: dict[str, list[dict[str, Any]]] = {}
        for fid, at, said in page:
            by_fid.setdefault(fid, []).append(self.written(history, at, said))
        rows = [{"instance_fid": fid, "bid_fid": "bid_1", "events": told} for fid, told in by_fid.items()]
        return Answer(body={"instances": rows, "next_cursor": more})

    def selected(self, history: str, query: Mapping[str, str]) -> Iterable[Event]:
        """The events in the window."""
        start = datetime.fromisoformat(query.get("start_time", "2000-01-01T00:00:00Z"))
        end = datetime.fromisoformat(query.get("end_time", "2100-01-01T00:00:00Z"))
        wanted = query.get("instance_fid")
        for fid in dict.fromkeys(fid for fid, _, _ in self.events if wanted in (None, fid)):
            events = [event for event in self.events if event[0] == fid]
            yield from (event for event in events if self.bounds(event[1], start) and event[1] < end)
            before = [event for event in events if event[1] < start]
            if before and self.selects.get(history) == "in_force":
                yield before[-1]

    @staticmethod
    def written(history: str, at: datetime, said: str) -> dict[str, Any]:
        """An event as that history writes it."""
        text = at.isoformat().replace("+00:00", "Z")
        if history == "status":
            return {"timestamp": text, "status": said}
        return {"start_time": text, "end_time": None, "price_cents": len(said) + at.minute + at.hour}


MANY = [event for number in range(6) for event in story(f"inst_{number}", number)]


def seen(**how: Any) -> dict[str, str | None]:
    """What a probe sees of such an API."""
    events = how.pop("events", MANY)
    with scripted(Api(events, **{"order": {}, "selects": {}, **how})) as served:
        found = probe(KEY, served.url)
        assert len(served.asked) == found.requests <= 12
    return {finding.reading: finding.seen for finding in found.findings}


def test_an_api_that_pages_over_all_events_by_time() -> None:
    """Not as the sandbox does it, and yet the same readings."""
    told = seen()
    expected = ["accepted", "events", "inside", "inclusive", "exclusive", "sorted", "false"]
    names = ["project_alone", "limit_counts", "start_selects", "start_bound", "end_bound", "order", "repeated_rows"]
    assert [told[name] for name in names] == expected
    assert told["repeated_statuses"] is None  # too few events to rule it out


def test_histories_that_differ() -> None:
    """One reading stands for both histories: where they differ there is none."""
    assert seen(refuses_alone=frozenset({"pricing"}))["project_alone"] is None
    assert seen(order={"pricing": True})["order"] is None
    assert seen(selects={"pricing": "in_force"})["start_selects"] is None
    both = seen(order={"pricing": True, "status": True}, selects={"status": "in_force", "pricing": "in_force"})
    assert (both["order"], both["start_selects"]) == ("reversed", "in_force")


def test_what_is_in_force_just_before_the_start() -> None:
    """An event from before the start besides the one at it: then the one at it is there for its own sake."""
    both = {"status": "in_force", "pricing": "in_force"}
    assert seen(selects=both)["start_bound"] == "inclusive"
    assert seen(selects=both, bounds=datetime.__gt__)["start_bound"] == "exclusive"


@pytest.mark.parametrize("ignored", [{"start_time"}, {"end_time"}, {"start_time", "end_time"}])
def test_a_window_that_is_not_looked_at(ignored: set[str]) -> None:
    """It is not the state in force that is told then, and a bound that is not looked at is not proved."""
    told = seen(ignores=frozenset(ignored))
    assert told["start_selects"] in ((None, "inside") if "start_time" not in ignored else (None,))
    assert told["end_bound"] == ("exclusive" if "end_time" not in ignored else None)
    if "start_time" in ignored:
        assert told["start_bound"] is None


@pytest.mark.parametrize("length", [1, 2, 3, 4])
@pytest.mark.parametrize("ignored", [set(), {"start_time"}, {"end_time"}, {"start_time", "end_time"}])
def test_short_stories_in_such_windows(length: int, ignored: set[str]) -> None:
    """Where too few events are known to see whether a window is looked at, it is not taken for granted."""
    told = seen(events=[event for number in range(3) for event in story(f"inst_{number}", number, length)],
                ignores=frozenset(ignored))  # fmt: skip
    assert told["start_selects"] in ((None, "inside") if "start_time" not in ignored else (None,))
    assert told["end_bound"] in ((None, "exclusive") if "end_time" not in ignored else (None,))
    assert told["start_bound"] in ((None, "inclusive") if "start_time" not in ignored else (None,))


def test_a_limit_or_a_cursor_that_is_not_looked_at() -> None:
    """All at once where one was asked for, or the first page for ever: nobody knows what is counted or repeated."""
    told = seen(ignores=frozenset({"limit"}))
    assert told["limit_counts"] is None
    told = seen(ignores=frozenset({"next_cursor"}))
    assert told["repeated_rows"] is None


def test_an_instance_that_is_not_looked_for() -> None:
    """Windows of all instances where one was asked for: its own events tell as much."""
    told = seen(ignores=frozenset({"instance_fid"}))
    assert told["start_selects"] in ("inside", None)
    assert told["end_bound"] in ("exclusive", None)


def test_pages_that_are_shorter_than_asked_for() -> None:
    """An API whose pages are short at will has no row on one that was on the one before."""
    told = seen(cuts=lambda _, limit: min(limit, 7))
    assert told["limit_counts"] == "events"
    assert told["repeated_rows"] == "false"
