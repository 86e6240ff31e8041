"""Reports and marts as DataFrames: the figures of `report`, in types that people can work with."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import mithril_elt
from marts_by_hand import fill
from mithril_elt.errors import LayoutError, MithrilError, UsageError, WarehouseError
from mithril_elt.frames import frame, table_of_rows
from mithril_elt.reports import REPORT_NAMES, report
from small_account import small_account
from test_warehouse import open_elsewhere


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database file with the small account's marts."""
    return made(tmp_path / "small.duckdb")


def made(path: Path, schema: str = "marts") -> Path:
    """A file with the small account in it."""
    with duckdb.connect(str(path)) as connection:
        fill(connection, small_account(), schema=schema)
    return path


def plain(value: Any) -> Any:
    """A cell as `report` has it: None where nothing is, an integer where a count is."""
    return None if pd.isna(value) else int(value) if isinstance(value, int) else value


def test_importing_costs_nothing() -> None:
    """The name is there, and what it needs is not loaded before it is used."""
    program = (
        "import mithril_elt, sys; assert 'open' in mithril_elt.__all__;"
        "print({'pandas', 'duckdb', 'pyarrow'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("name", "by"),
    [("cost", "day"), ("usage", ["instance", "month"]), ("uptime", "region"), ("pause-credits", ()), ("cost", "hour")],
)
def test_a_frame_has_the_cells_of_the_report(db: Path, name: str, by: Any) -> None:
    """Rows, columns and figures are those of `report`, to the last digit."""
    answer = report(db, name, by=[by] if isinstance(by, str) else by)
    found = mithril_elt.open(db).report(name, by)
    assert tuple(found.columns) == answer.columns
    groups = len(answer.group_columns)
    assert len(found) == len(answer.rows) > 0
    for row, cells in zip(found.itertuples(index=False), answer.rows, strict=True):
        for column, value, cell in list(zip(answer.columns, row, cells, strict=True))[groups:]:
            wanted = datetime.fromisoformat(cell) if column == "next_expiry" and isinstance(cell, str) else cell
            assert plain(value) == wanted, column


def test_every_report_has_a_method(db: Path) -> None:
    """What `report` prints can be had by its own name."""
    with mithril_elt.open(db) as opened:
        for name in REPORT_NAMES:
            method = getattr(opened, name.replace("-", "_"))
            pd.testing.assert_frame_equal(method(), opened.report(name))
            assert method.__doc__


def test_types(db: Path) -> None:
    """Decimals that can be calculated with, instants in UTC, days that can be resampled, counts that may be null."""
    opened = mithril_elt.open(db)
    hours = opened.cost("hour")
    assert str(hours["hour"].dtype) == "datetime64[us, UTC]"
    assert str(opened.cost("day")["day"].dtype).startswith("datetime64[")
    assert opened.cost("month")["month"].tolist() == [pd.Timestamp("2026-03-01"), pd.Timestamp("2026-04-01")]
    assert str(opened.uptime("region")["interruptions"].dtype) == "Int64"
    assert str(opened.pause_credits()["next_expiry"].dtype) == "datetime64[us, UTC]"
    net, credit = hours["net_cost_usd"], hours["pause_credit_usd"]
    assert sum(net) == Decimal("134.005")
    assert ((net + credit) / 2 * net - credit).map(type).eq(Decimal).all()


def test_floats_on_demand(db: Path) -> None:
    """`exact=False` is what statistics and charts take; what is not known stays unknown."""
    found = mithril_elt.open(db).cost("instance", exact=False)
    assert found["net_cost_usd"].dtype == "float64"
    assert found["usd_per_gpu_hour"].isna().sum() == 2
    assert found["net_cost_usd"].sum() == pytest.approx(134.005)


def test_spans_and_instants_of_any_kind(db: Path) -> None:
    """Text, a date, an instant with any zone: all mean the same hour; without a zone nobody knows."""
    opened = mithril_elt.open(db)
    whole = opened.cost("hour", "2026-03-31", "2026-04-01")
    berlin = timezone(timedelta(hours=2))
    for from_, to in [
        (date(2026, 3, 31), date(2026, 4, 1)),
        (datetime(2026, 3, 31, 2, tzinfo=berlin), datetime(2026, 4, 1, tzinfo=UTC)),
    ]:
        pd.testing.assert_frame_equal(opened.cost("hour", from_, to), whole)
    assert whole.attrs["from"] == "2026-03-31T00:00:00Z"
    with pytest.raises(UsageError, match="no time zone"):
        opened.cost(from_=datetime(2026, 3, 31))  # noqa: DTZ001  # meant
    with pytest.raises(UsageError, match="to 'soon'"):
        opened.cost(to="soon")
    with pytest.raises(UsageError, match="whole UTC hour"):
        opened.cost(from_="2026-03-31T10:30:00Z")


def test_what_a_reader_must_know_comes_along(db: Path, tmp_path: Path) -> None:
    """Warnings, as_of and names are in `attrs`, which a Parquet file keeps."""
    found = mithril_elt.open(db).cost("instance", limit=1)
    assert found.attrs["as_of"] == "2026-04-01T00:30:00Z"
    assert any("No price is known" in warning for warning in found.attrs["warnings"])
    assert any("--limit 1" in warning for warning in found.attrs["warnings"])
    assert found.attrs["names"]["instance_id"]["inst_1"] == "machine 1"
    found.to_parquet(tmp_path / "kept.parquet")
    assert pd.read_parquet(tmp_path / "kept.parquet").attrs["warnings"] == found.attrs["warnings"]


def test_summary_has_numbers_and_instants_apart(db: Path) -> None:
    """Each column has one type."""
    found = mithril_elt.open(db).summary().set_index("metric")
    assert found.loc["net_cost_usd", "value"] == Decimal("134.005")
    assert found.loc["next_expiry", "value_at"] == pd.Timestamp("2026-10-01T00:30Z")
    assert pd.isna(found.loc["next_expiry", "value"])
    assert found.loc["interruptions", "value"] == 3


def test_sql_gives_the_same_types(db: Path) -> None:
    """Decimals, whole numbers and instants are exact and in UTC; the schema need not be said."""
    opened = mithril_elt.open(db)
    query = (
        "select hour_at, day, sum(billed_us) as billed_us, max(spot_cost_cent_us) as cents, count(*) as n,"
        " cast(1 as decimal(38, 12)) / 4 as ratio, cast(0.1 as decimal(38, 12)) as tenth"
        " from {}fct_instance_hours group by all order by 1"
    )
    found = opened.sql(query.format("marts."))
    pd.testing.assert_frame_equal(found, opened.sql(query.format("")))
    assert found["hour_at"][0] == pd.Timestamp("2026-03-31T22:00Z")
    assert [str(found[name].dtype) for name in ("billed_us", "cents", "n")] == ["Int64"] * 3
    assert found["tenth"][0] == Decimal("0.1")
    assert opened.sql(query.format(""), exact=False)["tenth"].dtype == "float64"


def test_whole_numbers_beyond_64_bits_stay_exact() -> None:
    """Sums of cent-microseconds may be as long as that."""
    with duckdb.connect() as connection:
        table = connection.sql("select 9999999999999999999999::hugeint as big, 1 as a, 2 as a").to_arrow_table()
    found = frame(table)
    assert found["big"][0] == Decimal(9999999999999999999999)
    assert list(found.columns) == ["big", "a", "a_1"]


def test_rows_of_a_server_become_the_same_types() -> None:
    """What PostgreSQL's driver gives: numbers with and without a point in one column, nulls, instants of both kinds."""
    at = datetime(2026, 3, 31, 22, tzinfo=UTC)
    rows = [
        (Decimal("1.50"), 7, at.replace(tzinfo=None), at, date(2026, 3, 31), True, "a", None),
        (2, None, None, None, None, None, None, None),
    ]
    kinds = (1700, 20, 1114, 1184, 1082, 16, 1043, 25)
    found = frame(table_of_rows(rows, [(f"c{number}", kind) for number, kind in enumerate(kinds)]))
    assert found["c0"].tolist() == [Decimal("1.50"), Decimal(2)]
    assert [str(found[f"c{n}"].dtype) for n in (1, 2, 3, 5)] == [
        "Int64",
        "datetime64[us, UTC]",
        "datetime64[us, UTC]",
        "boolean",
    ]
    assert found["c2"][0] == found["c3"][0] == pd.Timestamp(at)
    assert found["c7"].isna().all()
    assert len(frame(table_of_rows([], [("a", 20)]))) == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("selec 1", "syntax error"),
        ("select * from nowhere", "nowhere does not exist"),
        ("select * from query", "query does not exist"),  # a variable of ours is no table
        ("create table t (n int)", "read-only"),
        ("  ", "asks for no rows"),
    ],
)
def test_a_query_that_cannot_be_answered(db: Path, query: str, words: str) -> None:
    """One sentence with what the database says, and no traceback of the driver's."""
    with pytest.raises(UsageError, match=words) as refused:
        mithril_elt.open(db).sql(query)
    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_marts_and_their_columns_are_described(db: Path) -> None:
    """Each mart with what one row is, each column with what it means."""
    opened = mithril_elt.open(db)
    found = opened.marts().set_index("mart")
    assert "One row per instance and UTC hour" in found.loc["fct_instance_hours", "description"]
    columns = opened.columns("fct_instance_hours").set_index("column")
    assert columns.loc["spot_cost_cent_us"].tolist() == ["hugeint", "Spot cost, cent-microseconds"]
    assert len(columns) == found.loc["fct_instance_hours", "columns"]
    with pytest.raises(UsageError, match=r"no mart 'costs': there are dim_"):
        opened.columns("costs")


def test_a_dataset_of_ones_own(tmp_path: Path) -> None:
    """Its marts are read, also by SQL that does not name the schema."""
    path = made(tmp_path / "marts.duckdb", "spring_marts")  # also where the file has the schema's name
    opened = mithril_elt.open(path, dataset="spring")
    assert opened.cost()["net_cost_usd"][0] == Decimal("134.005")
    assert opened.sql("select count(*) as n from dim_instances")["n"][0] == 3
    there_are = opened.sql("select table_name from information_schema.tables where table_schema = 'spring_marts'")
    assert set(opened.marts()["mart"]) == set(there_are["table_name"]) > {"dim_instances", "fct_instance_hours"}
    assert "spring_marts as of 2026-04-01T00:30:00Z" in repr(opened)


def test_nothing_is_held_open(db: Path) -> None:
    """Between two questions a run may write."""
    opened = mithril_elt.open(db)
    opened.cost()
    opened.sql("select 1 as one")
    with duckdb.connect(str(db)) as connection:
        connection.execute("update marts.dim_projects set project_name = 'other'")
    assert opened.sql("select project_name from dim_projects")["project_name"][0] == "other"


def refused(db: Path, **how: Any) -> MithrilError:
    """What opening says, in one sentence."""
    with pytest.raises(MithrilError) as error:
        mithril_elt.open(db, **how)
    assert "\n" not in str(error.value)
    return error.value


def test_what_cannot_be_opened_says_so(db: Path, tmp_path: Path) -> None:
    """No file, no marts, no database, one that is written to, one of a newer release, a time that is not there yet."""
    assert isinstance(refused(tmp_path / "none.duckdb"), UsageError)
    assert not (tmp_path / "none.duckdb").exists()
    with duckdb.connect(str(tmp_path / "bare.duckdb")) as connection:
        connection.execute("create schema raw")
    assert "mithril-elt build" in str(refused(tmp_path / "bare.duckdb"))
    (tmp_path / "notes.txt").write_text("no database " * 99)
    assert isinstance(refused(tmp_path / "notes.txt"), WarehouseError)
    with open_elsewhere(db):
        assert "open in another process" in str(refused(db))
        with pytest.raises(WarehouseError, match="open in another process"):
            mithril_elt.open(db)
    assert "past what the marts" in str(refused(db, as_of="2026-05-01"))
    assert "no destination 'excel'" in str(refused(db, destination="excel"))
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema raw; create table raw.layouts as select 99 as layout, '9.9' as version")
        connection.execute("alter table raw.layouts add column since timestamp")
    assert isinstance(refused(db), LayoutError)


def test_a_build_that_was_cut_short_is_refused(db: Path) -> None:
    """Marts of two instants are shown to nobody."""
    with duckdb.connect(str(db)) as connection:
        connection.execute("create schema staging; create table staging.builds (number int, finished_at timestamp)")
        connection.execute("insert into staging.builds values (1, null)")
    assert "did not come to its end" in str(refused(db))
