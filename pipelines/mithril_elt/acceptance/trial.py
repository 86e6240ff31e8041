"""What is done with the account, in order: loaded, loaded again in several ways, killed, loaded on, built.

Stands in `acceptance` on `sight`, `scratch` and `victim`; `entry`, `loaded`, `steps`, `failures` and `working` make
outcomes of what is noted here. All that it sends are reads, and all that it writes is in one folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mithril_elt.acceptance.account import Account
from mithril_elt.acceptance.rows import Difference, Rows, between, differences, loaded_rows
from mithril_elt.acceptance.scratch import cut_short, fingerprint, peak_bytes, remember_the_future, unheard
from mithril_elt.acceptance.sight import Sight
from mithril_elt.acceptance.told import listed, told
from mithril_elt.acceptance.victim import Order, run_apart
from mithril_elt.errors import DataTestError, MithrilError, WarehouseError
from mithril_elt.forecast import Forecast, forecast
from mithril_elt.lists import read_lists
from mithril_elt.load import LoadPlan, LoadResult, load
from mithril_elt.lock import locked
from mithril_elt.recovery import recover
from mithril_elt.transform import BuildResult, build
from mithril_elt.windows import LOOKBACK, Span

__all__ = ["Asked", "Trial"]

log = logging.getLogger("mithril_elt")

_FEW_ROWS = 60  # read in small pages: so many requests at most


@dataclass
class Asked:
    """One load: what it did, and the rows after it."""

    result: LoadResult
    rows: dict[str, Rows]


@dataclass
class Trial:
    """The account on trial, and what was seen of it. A stage that failed is in `broken` with its error's sentence."""

    account: Account
    folder: Path
    sight: Sight
    tell: Callable[[str], None] = log.info
    broken: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[Difference]] = field(default_factory=dict)
    moved: set[tuple[str, str]] = field(default_factory=set)

    @property
    def db(self) -> Path:
        """The database of the first load."""
        return self.folder / "accept.duckdb"

    @property
    def small_db(self) -> Path:
        """The database that is filled in small windows."""
        return self.folder / "small.duckdb"

    def stages(self) -> Sequence[Callable[[], None]]:
        """All that is done after the first load, in order."""
        return (self.again, self.deep, self.pages, self.at_once, self.future, self.killed, self.backfill, self.models)

    def run(self) -> None:
        """Does everything; what fails on the way is noted in `broken`.

        Raises:
            MithrilError: the first load failed: then nothing can be compared.
        """
        self.first()
        for stage in (*self.stages(), self.later):
            try:
                stage()
            except MithrilError as error:
                self.broken[stage.__name__] = str(error)
                log.warning("%s: %s", stage.__name__, error)
        if any(self.seen.values()):
            self._read_once_more()

    def first(self) -> None:
        """Loaded as `run` does."""
        self.tell("loading the span into a scratch database …")
        self.loaded = self._load(self.db)
        self.first_peak_bytes = peak_bytes()
        self.compare("as told", self.loaded.rows, self.sight.rows)

    def again(self) -> None:
        """Planned, with nothing written, and loaded again."""
        self.tell("planning and loading it again …")
        before = fingerprint(self.folder)
        with self.account.session() as api:
            self.planned: Forecast = forecast(api, self.db, self._plan())
        self.plan_wrote = fingerprint(self.folder) != before
        self.second = self._load(self.db)
        self.compare("again", self.second.rows, self.loaded.rows)

    def deep(self) -> None:
        """All of it read again."""
        self.tell("reading all of it again …")
        self.reread = self._load(self.db, deep=True)
        self.last_peak_bytes = peak_bytes()
        self.compare("deep", self.reread.rows, self.second.rows)

    def pages(self) -> None:
        """A part of the span in small pages, and in pages as large as can be."""
        self.tell("asking in small pages …")
        span = self._part_of_few_rows()
        rows = between(self.sight.told.once, span.start, span.end)
        instances = {row[1] for each in rows.values() for row in each}
        self.page_rows = sum(map(len, rows.values()))
        self.page_limit = max(1, min(self.page_rows // 12, len(instances) // 4))
        with self.account.session() as api:
            spans = dict.fromkeys(self.sight.projects, span)
            self.in_pages = told(api, self.sight.lists, spans, limit=self.page_limit)
        self.compare("pages", self.in_pages.once, rows)

    def _part_of_few_rows(self) -> Span:
        """The end of the span, as long as it has few rows, but an hour at least."""
        length = self.sight.length
        while length > timedelta(hours=1):
            rows = between(self.sight.told.once, self.sight.span.end - length, self.sight.span.end)
            if sum(map(len, rows.values())) <= _FEW_ROWS:
                break
            length /= 2
        return Span(self.sight.span.end - length, self.sight.span.end)

    def at_once(self) -> None:
        """A second run while this process holds the lock."""
        with locked(self.db):
            self.refused_with = self._run_apart(self.db, self.sight.span, death=None)

    def future(self) -> None:
        """On a copy whose ledger reaches a year past now."""
        self.tell("loading with a ledger of the future …")
        copy = remember_the_future(self.db, self.folder / "future.duckdb")
        self.from_future = self._load(copy, until=None, lookback=timedelta(hours=1))
        self.compare("future", self.from_future.rows, self.reread.rows)

    def killed(self) -> None:
        """In small windows: killed, killed again with a package left, the package cut short, recovered, loaded on."""
        self.tell(f"loading in {self.sight.windows} small windows, killed on the way …")
        db, half, small = self.small_db, Span(self.sight.middle, self.sight.span.end), self.sight.window
        self.deaths = [
            self._run_apart(db, half, death="after a window"),
            self._run_apart(db, half, death="before loading"),
        ]
        self.cut_files = cut_short(db)
        self.stuck_with: WarehouseError | None = None
        try:
            with unheard("dlt"):
                self._load(db, since=half.start, window=small)
        except WarehouseError as error:
            self.stuck_with = error
        with unheard("dlt"):
            self.recovered = recover(db)
        self.after_death = self._load(db, since=half.start, window=small, lookback=timedelta(0))
        ends = (between(rows, half.start, half.end) for rows in (self.after_death.rows, self.reread.rows))
        self.compare("killed", *ends)

    def backfill(self) -> None:
        """Then the time before, in small windows too."""
        if self.sight.middle == self.sight.span.start:
            return
        self.tell("loading the time before, afterwards …")
        self.filled = self._load(
            self.small_db, until=self.sight.middle, window=self.sight.window, lookback=timedelta(0)
        )
        self.compare("backfill", self.filled.rows, self.reread.rows)

    def models(self) -> None:
        """The models, built and tested."""
        self.failed_test: str | None = None
        self.built: BuildResult | None = None
        try:
            self.built = build(self.db)
        except DataTestError as error:
            self.failed_test = str(error)

    def later(self) -> None:
        """Up to now, a few minutes after it began."""
        self.tell("loading what is new since …")
        self.at_last = self._load(self.db, until=None, lookback=timedelta(0))

    def compare(self, name: str, one: dict[str, Rows], other: dict[str, Rows]) -> None:
        """Notes in what two readings differ up to the end of the span."""
        start, end = datetime.min.replace(tzinfo=UTC), self.sight.span.end
        self.seen[name] = differences(between(one, start, end), between(other, start, end))

    def _read_once_more(self) -> None:
        """What the account itself tells otherwise than at first is no difference between two ways to load it."""
        self.tell("something differs: asking the account itself once more …")
        with self.account.session() as api:
            lists = read_lists(api, self.sight.projects)
            now = told(api, lists, self.sight.spans)
        self.compare("moved", {**listed(lists), **now.once}, self.sight.rows)
        self.moved = {(each.table, each.subject) for each in self.seen.pop("moved")}

    def _plan(self, **other: Any) -> LoadPlan:
        usual = {"projects": self.sight.projects, "since": self.sight.span.start, "until": self.sight.span.end}
        return LoadPlan(**{**usual, "lookback": LOOKBACK, **other})

    def _load(self, db: Path, **other: Any) -> Asked:
        with self.account.session() as api:
            result = load(api, db, self._plan(**other))
        return Asked(result, loaded_rows(db))

    def _run_apart(self, db: Path, span: Span, death: Any) -> int:
        each, (since, until) = self.account, span.to_json()
        order = Order(
            key=each.key,
            url=each.url,
            db=str(db),
            note=str(self.folder / "requests"),
            projects=self.sight.projects,
            since=since,
            until=until,
            window_s=self.sight.window // timedelta(seconds=1),
            concurrency=each.concurrency,
            requests_per_second=each.requests_per_second,
            death=death,
        )
        ended, requests = run_apart(order)
        each.requests += requests
        return ended
