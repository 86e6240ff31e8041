"""FOCUS: charges of an account worked by hand, the files that are written of them, and a linter that reads these."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from commands import Cli, assert_one_sentence
from focus_account import BILLED_USD, EFFECTIVE_USD, ROWS, focus_file
from mithril_elt.errors import UsageError, WarehouseError
from mithril_elt.focus import FocusPlan, export_focus
from mithril_elt.reports.span import Span
from sql_project import Compiled, compiled

pytestmark = pytest.mark.xdist_group("sql")

TOOLKIT = [str(Path(sys.executable).with_name("focus-toolkit")), "validate"]
SUPPORTS = ["--supports", "SupportsUnitPricing", "--supports", "SupportsMultiplePricingCategories"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project, compiled once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def db(project: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The account of one of each kind, in a file."""
    return focus_file(project, tmp_path_factory.mktemp("focus") / "a.duckdb")


@pytest.fixture
def marts(db: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its marts, to be read."""
    with duckdb.connect(str(db), read_only=True) as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return connection.execute(sql).fetchall()


def records(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(newline="") as text:
        return list(csv.DictReader(text))


def lint(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The linter of FOCUS on a file, with its own exit status."""
    command = [*TOOLKIT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_data_test_finds_fault_with_the_account(project: Compiled, db: Path) -> None:
    """What is unknown, given back, cancelled and yet to come is no fault."""
    with duckdb.connect(str(db), read_only=True) as connection:
        assert project.all_failures(connection) == {}


@pytest.mark.parametrize("version", ["1_2", "1_4"])
def test_each_kind_of_charge_has_the_rows_and_dollars_worked_by_hand(
    marts: duckdb.DuckDBPyConnection, version: str
) -> None:
    """Rows, billed and effective cost of each kind, and of all."""
    found = rows(
        marts,
        'select "x_ChargeKind", count(*), sum("BilledCost"), sum("EffectiveCost")'
        f" from marts.focus_{version} group by all",
    )
    expected = {kind: (count, Decimal(billed), Decimal(effective)) for kind, (count, billed, effective) in ROWS.items()}
    assert {kind: figures for kind, *figures in map(list, found)} == {k: list(v) for k, v in expected.items()}
    whole = f'select sum("BilledCost"), sum("EffectiveCost") from marts.focus_{version}'
    assert rows(marts, whole) == [(BILLED_USD, EFFECTIVE_USD)]


def test_of_a_reservation_that_ended_effective_is_billed(marts: duckdb.DuckDBPyConnection) -> None:
    """res_a: 40 dollars both ways; res_c, cancelled, 9; res_b, still in force, 2 of 6. Credits are both at once."""
    found = rows(
        marts,
        'select "CommitmentDiscountId", sum("BilledCost") filter ("ChargeCategory" <> \'Credit\'),'
        ' sum("EffectiveCost") filter ("ChargeCategory" <> \'Credit\'),'
        ' coalesce(sum("BilledCost") filter ("ChargeCategory" = \'Credit\'), 0),'
        ' coalesce(sum("EffectiveCost") filter ("ChargeCategory" = \'Credit\'), 0)'
        ' from marts.focus_1_4 where "CommitmentDiscountId" is not null group by 1 order by 1',
    )
    assert found == [("res_a", 40, 40, -11, -11), ("res_b", 6, 2, 0, 0), ("res_c", 9, 9, 0, 0)]


def test_a_spot_hour_has_the_mean_price_and_the_reserved_one_beside_it(marts: duckdb.DuckDBPyConnection) -> None:
    """45 min at 13.00 and 15 at 13.01 are 13.0025 an hour for 8 GPU-hours; a reserved hour was 20.50 then."""
    found = rows(
        marts,
        'select "ChargePeriodStart", "PricingQuantity", "ListUnitPrice", "ConsumedQuantity", "SkuPriceId",'
        ' "x_ReservedReferenceCost" from marts.focus_1_4 where "x_InstanceId" = \'inst_spot\'',
    )
    at = datetime.fromisoformat("2026-03-30T23:00")
    assert found == [(at, 1, Decimal("13.0025"), 8, "it_8/us-east1-a/spot", Decimal("20.5"))]


def test_idle_time_is_told_hour_by_hour(marts: duckdb.DuckDBPyConnection) -> None:
    """Of res_a one instance is never used; while the other is paused both stand idle; what was given back does not."""
    found = rows(
        marts,
        'select hour("ChargePeriodStart"), "PricingQuantity", "EffectiveCost" from marts.focus_1_4'
        ' where "x_ChargeKind" = \'reserved_idle\' and "ResourceId" = \'res_a\' order by "ChargePeriodStart"',
    )
    hours = dict(zip((22, 23, 0, 1, 2, 3, 4, 5), (1, 1, 2, 2, 1, 1, 1, 1), strict=True))
    assert found == [(hour, quantity, Decimal("2.5") * quantity) for hour, quantity in hours.items()]


def test_what_cannot_be_told_is_counted(marts: duckdb.DuckDBPyConnection) -> None:
    """Half an hour without a price, a paused hour without a rate; half an hour of an unknown type, with its cost."""
    found = rows(marts, "select charge_kind, lacks, is_in_file, charges, lacking_hours from marts.fct_charge_gaps")
    assert sorted(found) == [
        ("pause_credit", "no price or rate", False, 1, 1),
        ("spot_usage", "instance type", True, 1, Decimal("0.5")),
        ("spot_usage", "no price or rate", False, 1, Decimal("0.5")),
    ]


def test_a_grant_is_a_contract_commitment(marts: duckdb.DuckDBPyConnection) -> None:
    """One row a grant: what it commits to, and how far it has come."""
    found = rows(
        marts,
        'select "ContractId", "ContractCommitmentCost", "ContractCommitmentQuantity",'
        ' "ContractCommitmentDurationType", "ContractCommitmentLifecycleStatus"'
        " from marts.focus_1_4_contract_commitment order by 1",
    )
    assert found == [
        ("res_a", 40, 16, "8 Hours", "Expired"),
        ("res_b", 6, 3, "3 Hours", "Active"),
        ("res_c", 9, 6, "6 Hours", "Canceled"),
    ]


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_csv_and_parquet_say_the_same(db: Path, tmp_path: Path, version: str) -> None:
    """In Parquet decimals and instants in UTC, in CSV plain decimals and a Z; every cell is the same."""
    for ending in ("csv", "parquet"):
        done = export_focus(db, tmp_path / f"focus.{ending}", FocusPlan(version))
        assert done.rows == 24
    table = pq.read_table(tmp_path / "focus.parquet").to_pylist()
    told = {row["x_ChargeId"]: row for row in table}
    assert {type(row["BilledCost"]) for row in table} == {Decimal}
    kinds = {str(field.type) for field in pq.read_schema(tmp_path / "focus.parquet")}
    assert kinds == {"string", "decimal128(38, 12)", "timestamp[us, tz=UTC]"}
    for row in records(tmp_path / "focus.csv"):
        assert {name: _plain(value) for name, value in told[row["x_ChargeId"]].items()} == {
            name: value.removeprefix("'") for name, value in row.items()
        }
    assert list(tmp_path.glob(".*")) == []


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def test_no_name_is_a_formula_in_a_spreadsheet(db: Path, tmp_path: Path) -> None:
    """A name that begins as a formula does has an apostrophe before it in CSV, and is itself in Parquet."""
    export_focus(db, tmp_path / "focus.csv", FocusPlan("1.4"))
    export_focus(db, tmp_path / "focus.parquet", FocusPlan("1.4"))
    named = {row["ResourceName"] for row in records(tmp_path / "focus.csv") if row["x_ChargeKind"] == "spot_usage"}
    assert named == {"'=machine inst_spot", "'=machine inst_odd"}
    assert "=machine inst_spot" in pq.read_table(tmp_path / "focus.parquet")["ResourceName"].to_pylist()


def test_files_of_spans_are_parts_of_the_whole(db: Path, tmp_path: Path) -> None:
    """Whatever instant cuts the time, no row is in two files and none in neither; a purchase is where it was placed."""
    cut = datetime.fromisoformat("2026-03-31T02:00+00:00")
    plans = [FocusPlan("1.4"), FocusPlan("1.4", span=Span(None, cut)), FocusPlan("1.4", span=Span(cut, None))]
    ids = []
    for number, plan in enumerate(plans):
        export_focus(db, tmp_path / f"{number}.csv", plan)
        ids.append([row["x_ChargeId"] for row in records(tmp_path / f"{number}.csv")])
    assert sorted(ids[1] + ids[2]) == sorted(ids[0])
    assert sum(each.startswith("reservation_purchase") for each in ids[1]) == 3


def test_an_account_and_projects_can_be_named(db: Path, tmp_path: Path) -> None:
    """BillingAccountId is what is given; a project that is not there is refused."""
    plan = FocusPlan("1.4", projects=("proj_a",), billing_account="org_it's")
    assert export_focus(db, tmp_path / "a.csv", plan).rows == 24
    assert {row["BillingAccountId"] for row in records(tmp_path / "a.csv")} == {"org_it's"}
    with pytest.raises(UsageError, match="no project proj_z"):
        export_focus(db, tmp_path / "a.csv", FocusPlan("1.4", projects=("proj_z",)))


def test_the_command_says_what_it_wrote_and_what_is_not_in_it(cli: Cli, db: Path, tmp_path: Path) -> None:
    """Data in the file, a sentence on stdout, what is lacking on stderr."""
    out = tmp_path / "focus.csv"
    done = cli("export", "focus", "--db", db, "--version", "1.4", "--out", out)
    assert done.status == 0
    assert done.out == f"Wrote 24 rows of FOCUS 1.4, cost-and-usage, to {out}.\n"
    assert done.err.count("Warning: No ") == 3
    facts = json.loads(cli("export", "focus", "--db", db, "--version", "1.4", "--out", out, "--json").out)
    assert (facts["rows"], facts["version"], len(facts["warnings"])) == (24, "1.4", 3)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--version", "1.2", "--dataset-kind", "contract-commitment", "--out", "a.csv"), 2, "1.2 has no dataset"),
        (("--version", "1.4", "--out", "a.xlsx"), 2, "ends in .csv or .parquet"),
        (("--version", "1.4", "--out", "march/a.csv"), 2, "no folder march"),
        (("--version", "1.4", "--out", "a.csv", "--from", "2026-03-01T00:30:00Z"), 2, "whole UTC hour"),
    ],
)
def test_what_has_no_meaning_is_refused(
    cli: Cli, db: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """One sentence and the exit status of wrong usage; no file is left."""
    done = cli("export", "focus", "--db", db, *arguments)
    assert_one_sentence(done, status, words)
    assert list(Path.cwd().glob("*a.*")) == []


def test_marts_of_an_older_release_are_told_apart(tmp_path: Path) -> None:
    """Where there is no such mart, it says which build makes it, and a file that was there stays."""
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as connection:
        connection.execute(
            "create schema marts; create table marts.dim_projects (project_id varchar, as_of timestamp,"
            " created_at timestamp)"
        )
    kept = tmp_path / "focus.csv"
    kept.write_text("kept")
    with pytest.raises(WarehouseError, match="build --full"):
        export_focus(older, kept, FocusPlan("1.4"))
    assert kept.read_text() == "kept"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_linter_finds_fault_only_with_what_is_unknown(db: Path, tmp_path: Path, ending: str) -> None:
    """It ends with 1 for the one row whose type nobody told, and names no other; without that row it ends with 0."""
    file = tmp_path / f"focus.{ending}"
    export_focus(db, file, FocusPlan("1.4"))
    done = lint("--dataset", "cost-and-usage", *SUPPORTS, file)
    odd = [n for n, row in enumerate(_rows_of(file)) if row["x_InstanceId"] == "inst_odd"]
    found = [line for line in done.stdout.splitlines() if "_VALID:" in line]
    assert done.returncode == 1
    assert len(odd) == 1
    assert len(found) == 8
    assert all(f" row {odd[0]}:" in line for line in found)
    known = tmp_path / f"known.{ending}"
    with duckdb.connect() as connection:
        read = f"read_csv('{file}', all_varchar = true)" if ending == "csv" else f"'{file}'"
        connection.execute(f"copy (from {read} where \"SkuId\" is not null) to '{known}'")
    done = lint("--dataset", "cost-and-usage", *SUPPORTS, known)
    assert (done.returncode, "lint OK" in done.stdout) == (0, True)


def _rows_of(file: Path) -> list[dict[str, Any]]:
    return records(file) if file.suffix == ".csv" else list(pq.read_table(file).to_pylist())


def test_the_linter_takes_the_commitments_and_both_together(db: Path, tmp_path: Path) -> None:
    """The dataset by itself, and every grant that a charge names is in it."""
    charges, grants = tmp_path / "charges.csv", tmp_path / "grants.csv"
    export_focus(db, charges, FocusPlan("1.4"))
    assert export_focus(db, grants, FocusPlan("1.4", "contract-commitment")).rows == 3
    assert lint("--dataset", "contract-commitment", grants).returncode == 0
    command = [TOOLKIT[0], "validate-bundle", "--cost-and-usage", charges, "--contract-commitment", grants]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    grants.write_text(grants.read_text().replace("res_a@", "res_z@"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
