"""How far a load is: what was read before it is loaded, as a share of the time due, with an estimate in due time."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from mithril_elt.api import Mithril
from mithril_elt.cli.progress import shown_progress
from mithril_elt.load import load
from mithril_elt.read_so_far import ReadSoFar
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.windows import Span

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_the_share_is_of_the_time_that_is_due() -> None:
    """Two projects of ten days and of five, both histories: thirty days; read twice it is never more than all."""
    planned = {"proj_a": [Span(START, START + 10 * DAY)], "proj_b": [Span(START, START + 5 * DAY)]}
    so_far = ReadSoFar.of(planned, histories=2)
    assert so_far.share == 0
    so_far.note("status", Span(START, START + 3 * DAY), 40)
    so_far.note("pricing", Span(START, START + 3 * DAY), 60)
    assert (so_far.share, so_far.rows, so_far.history, so_far.up_to) == (0.2, 100, "pricing", START + 3 * DAY)
    so_far.note("status", Span(START, START + 60 * DAY), 0)
    assert so_far.share == 1
    assert ReadSoFar.of({}, histories=2).share == 1


def test_a_load_tells_what_it_reads_before_it_is_loaded(tmp_path: Path) -> None:
    """Each window of a history once; the share rises to all, and the first is told before anything is loaded."""
    told: list[tuple[str, float, int]] = []
    with serve(make_account(7, 12, 9)) as sandbox, Mithril(sandbox.key, sandbox.url) as api:
        done = load(
            api,
            tmp_path / "a.duckdb",
            on_read=lambda now: told.append(("read", now.share, now.rows)),
            on_progress=lambda now: told.append(("loaded", 1.0, now.rows)),
        )
    read = [(share, rows) for kind, share, rows in told if kind == "read"]
    assert told[0][0] == "read"
    assert len(read) == 2 * done.windows_done
    assert all(before <= after for before, after in pairwise(read))
    assert read[-1][0] == pytest.approx(1)
    assert 0 < read[-1][1] <= done.rows


def test_lines_are_few_and_tell_the_rest_when_it_can_be_known(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no terminal: at most one in ten seconds, no estimate of a hundredth, then one in minutes."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    caplog.set_level(logging.INFO, logger="mithril_elt")
    so_far = ReadSoFar.of({"proj_a": [Span(START, START + 100 * DAY)]}, histories=1)
    with shown_progress(lambda: 42) as tell:
        for day, seconds in ((1, 11.0), (2, 12.0), (25, 120.0)):
            now[0] = seconds
            so_far.note("status", Span(START, START + DAY * (day - so_far.read / DAY)), 1000)
            so_far.up_to = START + day * DAY
            tell.read(so_far)
    assert caplog.messages == [
        "read 1%, 42 requests, 1,000 rows, status history up to 2026-03-02",
        "read 25%, 42 requests, 3,000 rows, status history up to 2026-03-26, some 6 min to go",
    ]
