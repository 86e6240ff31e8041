"""The dlt pipeline of a database: opened, freed of what a crash left, its memory held against the database.

Stands under `load` and `recovery`. dlt keeps its state twice: in the working folder beside the database, and in the
database with every package. What the folder says counts only as far as the database bears it out.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mithril_elt.errors import LayoutError, MithrilError, WarehouseError
from mithril_elt.ledger import covered_spans
from mithril_elt.lock import still_held, work_folder
from mithril_elt.log_facts import stage
from mithril_elt.memory import let_go
from mithril_elt.migration import migrate
from mithril_elt.objects import Objects
from mithril_elt.past import Past, past_of
from mithril_elt.place import Place, choice
from mithril_elt.raw_files import begin_files, note_release
from mithril_elt.tables import RAW_TABLES, raw_table
from mithril_elt.warehouse import Translated, listed, make_private, opened, schema_name
from mithril_elt.windows import missing

if TYPE_CHECKING:
    from mithril_elt.held import Held
    from mithril_elt.held_files import HeldFiles

__all__ = [
    "drained_pipeline",
    "forget_working_folder",
    "held_by",
    "load_left_over",
    "load_package",
    "open_pipeline",
    "remembered_orders",
    "reopen_pipeline",
    "resource_state",
]

log = logging.getLogger("mithril_elt")

_NAME = "mithril"


def open_pipeline(db: Place, dataset: str | None = None) -> Any:
    """The dlt pipeline of a database: named mithril, its working folder hidden beside the file."""
    import dlt  # noqa: PLC0415  # two seconds that other commands need not pay

    logging.getLogger("dlt").addFilter(_is_news)
    return dlt.pipeline(
        _NAME,
        destination=_destination(db),
        dataset_name=schema_name("raw", dataset),
        pipelines_dir=str(work_folder(db)),
    )


def _destination(db: Place) -> Any:
    import dlt  # noqa: PLC0415  # as above

    if isinstance(db, Path):
        return dlt.destinations.duckdb(str(db.resolve()))  # else dlt looks for it where its folder was made
    if isinstance(db, Objects):
        return db.destination
    from mithril_elt.postgres_loads import destination_of  # noqa: PLC0415  # needs the driver, which is an extra

    return destination_of(db)


def drained_pipeline(db: Place, dataset: str | None = None) -> tuple[Any, dict[tuple[str, str], Past]]:
    """The pipeline with nothing left over, which remembers what the database has and no more; and what that is.

    Raises:
        WarehouseError: what a crash left cannot be loaded, or the database cannot be written.
    """
    with _advised(db), Translated(db):
        if isinstance(db, Path):
            make_private(db)
        pipeline, _ = load_left_over(db, dataset)
        past = past_of(_ledger_rows(pipeline, db))
        if _remembers_too_much(pipeline, past):
            log.warning("%s lacks time that its working folder calls loaded: it is read again", db)
            pipeline = reopen_pipeline(db, dataset)
        return pipeline, past


@contextmanager
def _advised(db: Place) -> Iterator[None]:
    """Turns whatever a file that was cut short leads to into one error that names the command for it."""
    try:
        yield
    except LayoutError:
        raise
    except Exception as error:
        said = error.sentence if isinstance(error, MithrilError) else type(error).__name__
        advice = f"`mithril-elt recover {choice(db)}` drops what cannot be loaded, and the next run reads it again"
        raise WarehouseError(f"what an earlier run left beside {db} is not to be had ({said}): {advice}") from error


def load_left_over(db: Place, dataset: str | None = None) -> tuple[Any, bool]:
    """The pipeline, its state restored if the working folder was lost, and whether a crash had left anything.

    What it left is loaded, but for a package that it broke off in the middle of loading lists: dlt would begin its
    jobs again, and rows kept by version would come twice. That one is dropped, and the run reads it again.
    """
    from dlt.common.storages.exceptions import StorageException  # noqa: PLC0415  # two seconds, as dlt itself

    schema = schema_name("raw", dataset)
    if isinstance(db, Objects):
        with db.reached():
            begin_files(listed(db, schema))
    else:
        with opened(db) as connection:
            migrate(connection, schema)
    _forget_loaded(db)
    try:
        pipeline = open_pipeline(db, dataset)
        pipeline.sync_destination()
        is_left = pipeline.has_pending_data
        is_broken = is_left and _is_broken(pipeline, db)
    except (FileNotFoundError, StorageException):  # of a run that was killed while dlt made its folders
        is_broken = True
    if is_broken:
        log.info("a load of %s was broken off: what it had not brought to its end is read again", db)
        return reopen_pipeline(db, dataset), True
    if not is_left:
        return pipeline, False
    pipeline.run(loader_file_format="parquet")
    return pipeline, True


def load_package(pipeline: Any, db: Place, source: Any) -> None:
    """Reads a source to its end, and loads it as one package.

    While it is loaded the file is kept open here too: DuckDB would else close it, and write its log into it, after
    each of dlt's steps. While the API is asked it is not, so that others may read.
    """
    held = None
    if isinstance(db, Objects):  # files, to which only what they do not hold is added
        from mithril_elt.held_files import appending  # noqa: PLC0415  # imports pyarrow

        held = _held_files(pipeline, db)
        source = appending(source, held)
    with stage("read"):
        pipeline.extract(source, loader_file_format="parquet")
        let_go()
    with stage("load"):
        pipeline.normalize()
        still_held(db)
        with duckdb.connect(str(db)) if isinstance(db, Path) else nullcontext():
            pipeline.load()
    if held is not None:
        note_release(held.found)


def reopen_pipeline(db: Place, dataset: str | None = None) -> Any:
    """The pipeline without what dlt keeps beside the database; its state is restored from there."""
    forget_working_folder(db)
    pipeline = open_pipeline(db, dataset)
    pipeline.sync_destination()
    return pipeline


def forget_working_folder(db: Place) -> None:
    """Removes what dlt keeps beside the database: the next pipeline takes all that it remembers from there.

    It goes as a whole: what a kill left of a package would be loaded as if it were all of it, or not be loaded at all.
    """
    kept = work_folder(db) / _NAME
    gone = kept.with_name("forgotten")
    shutil.rmtree(gone, ignore_errors=True)  # where one that was killed has left it
    with suppress(FileNotFoundError):
        kept.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _forget_loaded(db: Place) -> None:
    """Removes what dlt keeps of packages that are in the database: without end, some 70 kB and their rows for each."""
    for package in (work_folder(db) / _NAME / "load" / "loaded").glob("*"):
        shutil.rmtree(package, ignore_errors=True)


def _is_broken(pipeline: Any, db: Place) -> bool:
    """Whether what is left over is not to be loaded, but read again."""
    return (not isinstance(db, Objects) and _is_torn(pipeline)) or _is_overtaken(pipeline, db)


def _is_torn(pipeline: Any) -> bool:
    """Whether rows that are kept by version were being loaded, or had been, when a package was broken off."""
    versioned = {table.name for table in RAW_TABLES if table.history == "versions"}
    begun = ("started_jobs", "completed_jobs", "failed_jobs")
    packages = [pipeline.get_load_package_info(load_id) for load_id in pipeline.list_normalized_load_packages()]
    jobs = [job for package in packages for state in begun for job in package.jobs.get(state, ())]
    return any(job.job_file_info.table_name in versioned for job in jobs)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether dlt says more than that its state names another destination, as it does in what was copied from there.

    That a job is tried again it says with all of its traceback; what comes of it in the end is told as an error.
    """
    return record.funcName not in {"_state_to_props", "complete_jobs"}


def _is_overtaken(pipeline: Any, db: Place) -> bool:
    """Whether another machine, with a folder of its own, has loaded since a package was left here: it is read again."""
    if isinstance(db, Path):
        return False
    left = [*pipeline.list_normalized_load_packages(), *pipeline.list_extracted_load_packages()]
    if isinstance(db, Objects):
        last = listed(db, pipeline.dataset_name).newest_load
        return last is not None and any(Decimal(load_id) < Decimal(last) for load_id in left)
    loaded = [Decimal(row["load_id"]) for row in _rows_of(pipeline, "_dlt_loads", "load_id")]
    return bool(loaded) and any(Decimal(load_id) < max(loaded) for load_id in left)


def resource_state(pipeline: Any, table: str) -> dict[str, Any]:
    """What the resource of a raw table remembers."""
    sources: dict[str, Any] = pipeline.state.get("sources", {})
    state: dict[str, Any] = sources.get(_NAME, {}).get("resources", {}).get(table, {})
    return state


def remembered_orders(db: Place) -> dict[str, Any]:
    """What dlt's folder beside a database remembers of the orders of each project; nothing where it is not to be had.

    Read as a file, since whatever opens a pipeline writes.
    """
    try:
        state = json.loads((work_folder(db) / _NAME / "state.json").read_text(encoding="utf-8"))
        orders: dict[str, Any] = state["sources"][_NAME]["orders"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return orders


def _remembers_too_much(pipeline: Any, had: Mapping[tuple[str, str], Past]) -> bool:
    """Whether the ledger calls a time covered of which the database has no window: it has lost what it once had."""
    from mithril_elt.histories import HISTORIES  # noqa: PLC0415  # imports pyarrow

    for history in HISTORIES:
        state = resource_state(pipeline, history.table)
        for project in state.get("covered", {}):
            has = had.get((project, history.name), Past()).spans
            if any(missing(span, has) for span in covered_spans(state, project)):
                return True
    return False


def held_by(pipeline: Any, db: Place) -> Held:
    """What the tables hold already."""
    if isinstance(db, Objects):
        return _held_files(pipeline, db)
    from mithril_elt.held import Held  # noqa: PLC0415  # imports dlt

    return Held(pipeline)


def _held_files(pipeline: Any, db: Objects) -> HeldFiles:
    from mithril_elt.held_files import HeldFiles  # noqa: PLC0415  # imports pyarrow

    return HeldFiles(listed(db, pipeline.dataset_name))


def _ledger_rows(pipeline: Any, db: Place) -> list[dict[str, Any]]:
    """The windows that the database says were read, in no order; none before the first load."""
    if isinstance(db, Objects):
        return _held_files(pipeline, db).ledger()
    return _rows_of(pipeline, raw_table("windows").name)


def _rows_of(pipeline: Any, table: str, columns: str = "*") -> list[dict[str, Any]]:
    """The rows of a table, by column; none where a load that was killed first has not made it yet."""
    from dlt.destinations.exceptions import DatabaseUndefinedRelation  # noqa: PLC0415  # as above

    with suppress(DatabaseUndefinedRelation), pipeline.sql_client() as client:
        name = client.make_qualified_table_name(table)
        with client.execute_query(f"select {columns} from {name}") as cursor:  # noqa: S608  # own names
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return []
