"""What is done with the account, in order: read plainly, loaded in several ways, killed, loaded on, built.

Stands in `acceptance` on `told`, `scratch` and `victim`; `checks` makes outcomes of what is noted here. All that it
sends are reads, and all that it writes is in one folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mithril_elt.acceptance.account import Account
from mithril_elt.acceptance.rows import Difference, Rows, between, differences, loaded_rows
from mithril_elt.acceptance.scratch import cut_short, fingerprint, peak_bytes, remember_the_future
from mithril_elt.acceptance.told import Told, listed, told
from mithril_elt.acceptance.victim import Order, run_apart
from mithril_elt.errors import DataTestError, MithrilError, UsageError, WarehouseError
from mithril_elt.forecast import Forecast, forecast
from mithril_elt.instants import iso
from mithril_elt.lists import Lists, choose_projects, read_lists
from mithril_elt.load import LoadPlan, LoadResult, load
from mithril_elt.lock import locked
from mithril_elt.recovery import recover
from mithril_elt.transform import BuildResult, build
from mithril_elt.windows import LOOKBACK, Span

__all__ = ["Asked", "Trial", "Wanted"]

log = logging.getLogger("mithril_elt")

_SPAN = timedelta(days=14)
_SETTLING = timedelta(hours=1)  # what is this old does not change any more on most accounts, so readings compare
_MOST_SMALL_WINDOWS = 400  # requests for the reading in small windows; fewer and longer ones where it would be more
_FEW_ROWS = 200  # of these the reading in small pages takes at most a dozen
_LIST_READINGS = 10
_AGAIN = timedelta(days=3)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """What is to be tried: the projects (none: all), and the span (None: the two weeks before an hour ago)."""

    projects: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


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
    wanted: Wanted
    tell: Callable[[str], None] = log.info
    broken: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[Difference]] = field(default_factory=dict)
    projects: list[str] = field(default_factory=list)
    novelties: list[str] = field(default_factory=list)
    moved: set[tuple[str, str]] = field(default_factory=set)

    @property
    def db(self) -> Path:
        """The database of the first load."""
        return self.folder / "accept.duckdb"

    @property
    def small_db(self) -> Path:
        """The database that is filled in small windows."""
        return self.folder / "small.duckdb"

    def look(self) -> None:
        """The lists, the span, and both histories as they are told, without a database.

        Raises:
            MithrilError: the account cannot be read: nothing of it can be tried.
        """
        with self.account.session() as api:
            self.projects = choose_projects(api, self.wanted.projects)
            self.lists: Lists = read_lists(api, self.projects)
            self.list_requests = api.traffic.requests
            self.span = self._chosen_span(self.lists)
            self.told: Told = told(api, self.lists, self._spans())
            self.novelties += api.novelties.warnings
        self.window = self._small_window()
        self.middle = self.span.start + self.window * ((self.span.end - self.span.start) // self.window // 2)

    def _chosen_span(self, lists: Lists) -> Span:
        until = min(self.wanted.until or lists.as_of - _SETTLING, lists.as_of)
        oldest = min(lists.oldest.values(), default=until - _DAY)
        since = self.wanted.since or max(min(oldest, until - _DAY), until - _SPAN)
        if since >= until:
            raise UsageError(f"--since {iso(since)} is not before the end of the trial, {iso(until)}")
        return Span(since, until)

    def _spans(self) -> dict[str, Span]:
        return dict.fromkeys(self.projects, self.span)

    def _small_window(self) -> timedelta:
        """A day, or longer where the account would be asked too often for it."""
        least = self.told.pages if "order" in self.told.ways.values() else 2 * max(1, len(self.projects))
        whole = self.span.end - self.span.start
        most = max(3, _MOST_SMALL_WINDOWS // least)
        return min(whole, max(_DAY, timedelta(hours=-(-(whole // timedelta(hours=1)) // most))))

    def expected_requests(self) -> int:
        """About how many requests all stages together send, those that were sent among them."""
        pages, few = self.told.pages, 2 * len(self.projects)
        windows = -(-(self.span.end - self.span.start) // self.window)
        small = windows * (pages if "order" in self.told.ways.values() else few)
        again = -(-pages * min(_AGAIN, self.span.end - self.span.start) // (self.span.end - self.span.start))
        return self.account.requests + _LIST_READINGS * self.list_requests + 2 * pages + again + max(pages, small) + 40

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
        self.compare("as told", self.loaded.rows, {**self.listed, **self.told_once})

    @property
    def listed(self) -> dict[str, Rows]:
        """The lists as they were read at first."""
        return listed(self.lists)

    @property
    def told_once(self) -> dict[str, Rows]:
        """The histories as they were told at first, each row once."""
        return {name: Rows(set(rows)) for name, rows in self.told.rows.items()}

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
        spans = dict.fromkeys(self.projects, span)
        with self.account.session() as api:
            rows = between(self.told_once, span.start, span.end)
            self.page_rows = sum(map(len, rows.values()))
            self.page_limit = max(1, self.page_rows // 24)
            self.in_pages = told(api, self.lists, spans, limit=self.page_limit)
        once = {name: Rows(set(each)) for name, each in self.in_pages.rows.items()}
        self.compare("pages", once, rows)

    def _part_of_few_rows(self) -> Span:
        """The end of the span, as long as it has few rows, but an hour at least."""
        length = self.span.end - self.span.start
        while length > timedelta(hours=1):
            rows = between(self.told_once, self.span.end - length, self.span.end)
            if sum(map(len, rows.values())) <= _FEW_ROWS:
                break
            length /= 2
        return Span(self.span.end - length, self.span.end)

    def at_once(self) -> None:
        """A second run while this process holds the lock."""
        with locked(self.db):
            self.refused_with = self._run_apart(self.db, self.span, death=None)

    def future(self) -> None:
        """On a copy whose ledger reaches a year past now."""
        self.tell("loading with a ledger of the future …")
        copy = remember_the_future(self.db, self.folder / "future.duckdb")
        self.from_future = self._load(copy, until=None, lookback=timedelta(hours=1))
        rows = between(self.from_future.rows, self.span.start, self.span.end)
        kept = between(self.reread.rows, self.span.start, self.span.end)
        self.compare("future", rows, kept)

    def killed(self) -> None:
        """In small windows: killed, killed again with a package left, the package cut short, recovered, loaded on."""
        self.tell(f"loading in windows of {self.window}, killed on the way …")
        db, half = self.small_db, Span(self.middle, self.span.end)
        self.deaths = [
            self._run_apart(db, half, death="after a window"),
            self._run_apart(db, half, death="before loading"),
        ]
        self.cut_files = cut_short(db)
        self.stuck_with: WarehouseError | None = None
        try:
            self._load(db, since=half.start, window=self.window)
        except WarehouseError as error:
            self.stuck_with = error
        self.recovered = recover(db)
        self.after_death = self._load(db, since=half.start, window=self.window, lookback=timedelta(0))
        self.compare(
            "killed", *(between(rows, half.start, half.end) for rows in (self.after_death.rows, self.reread.rows))
        )

    def backfill(self) -> None:
        """Then the time before, in small windows too."""
        if self.middle == self.span.start:
            return
        self.tell("loading the time before, afterwards …")
        self.filled = self._load(self.small_db, until=self.middle, window=self.window, lookback=timedelta(0))
        self.compare("backfill", self.filled.rows, self.reread.rows)

    def models(self) -> None:
        """The models, built and tested."""
        self.tell("building and testing the models …")
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
        start = datetime.min.replace(tzinfo=self.span.end.tzinfo)
        self.seen[name] = differences(between(one, start, self.span.end), between(other, start, self.span.end))

    def _read_once_more(self) -> None:
        """What the account itself tells otherwise than at first is no difference between two ways to load it."""
        self.tell("something differs: asking the account itself once more …")
        with self.account.session() as api:
            lists = read_lists(api, self.projects)
            now = told(api, lists, self._spans())
        once = {name: Rows(set(rows)) for name, rows in now.rows.items()}
        self.compare("moved", {**listed(lists), **once}, {**self.listed, **self.told_once})
        self.moved = {(each.table, each.subject) for each in self.seen.pop("moved")}

    def _plan(self, **other: Any) -> LoadPlan:
        usual = {"projects": tuple(self.projects), "since": self.span.start, "until": self.span.end}
        return LoadPlan(**{**usual, "lookback": LOOKBACK, **other})

    def _load(self, db: Path, **other: Any) -> Asked:
        with self.account.session() as api:
            try:
                result = load(api, db, self._plan(**other))
            finally:
                self.novelties += [each for each in api.novelties.warnings if each not in self.novelties]
        return Asked(result, loaded_rows(db))

    def _run_apart(self, db: Path, span: Span, death: Any) -> int:
        each, (since, until) = self.account, span.to_json()
        order = Order(
            key=each.key,
            url=each.url,
            db=str(db),
            note=str(self.folder / "requests"),
            projects=tuple(self.projects),
            since=since,
            until=until,
            window_s=self.window // timedelta(seconds=1),
            concurrency=each.concurrency,
            requests_per_second=each.requests_per_second,
            death=death,
        )
        ended, requests = run_apart(order)
        each.requests += requests
        return ended
