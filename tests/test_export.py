"""`export report`: the figures of `report` in files, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands import Cli, assert_one_sentence
from mithril_elt.errors import UsageError
from mithril_elt.reports import REPORT_NAMES
from mithril_elt.whole_files import whole_file
from test_opened import made


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database file with the small account's marts."""
    return made(tmp_path / "small.duckdb")


def test_csv_is_what_report_prints(cli: Cli, db: Path, tmp_path: Path) -> None:
    """Byte for byte, with the same warnings on stderr."""
    options = ("cost", "--by", "day", "--by", "region", "--from", "2026-03-31", "--limit", "2", "--db", db)
    printed = cli("report", *options, "--format", "csv")
    written = cli("export", "report", *options, "--out", tmp_path / "cost.csv")
    assert (tmp_path / "cost.csv").read_bytes().decode() == printed.out
    assert written.err == printed.err != ""
    assert written.out == f"{tmp_path / 'cost.csv'}: 2 rows\n"


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_parquet_has_the_cells_of_json(cli: Cli, db: Path, tmp_path: Path, name: str) -> None:
    """Each amount a decimal of 12 places, each instant a timestamp in UTC; nothing is lost."""
    out = tmp_path / "a.parquet"
    assert cli("export", "report", name, "--db", db, "--out", out).status == 0
    told = json.loads(cli("report", name, "--json", "--db", db).out)
    table = pq.read_table(out)
    rows = [{name: _as_json(value) for name, value in row.items()} for row in table.to_pylist()]
    if name == "summary":
        rows = [{**row, "value": row["value_at"] or row["value"]} for row in rows]
        for row, wanted in zip(rows, told["rows"], strict=True):
            del row["value_at"]
            if isinstance(wanted["value"], int):
                wanted["value"] = f"{wanted['value']}.000000000000"
    assert rows == told["rows"]
    assert len(rows) > 0 or name == "reconciliation"
    kept = json.loads(table.schema.metadata[b"mithril_elt"])
    assert {key: kept[key] for key in ("report", "as_of", "warnings")} == {
        key: told[key] for key in ("report", "as_of", "warnings")
    }


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


def test_types_of_parquet(cli: Cli, db: Path, tmp_path: Path) -> None:
    """What other programs read of it."""
    cli("export", "report", "cost", "--by", "hour", "--by", "month", "--db", db, "--out", tmp_path / "a.PARQUET")
    schema = pq.read_schema(tmp_path / "a.PARQUET")
    assert schema.field("hour").type == pa.timestamp("us", tz="UTC")
    assert schema.field("month").type == pa.date32()
    assert schema.field("net_cost_usd").type == pa.decimal128(38, 12)


@pytest.mark.parametrize("out", ["cost.xlsx", "cost", "folder.csv", "no/cost.csv"])
def test_what_cannot_be_written_is_refused(cli: Cli, db: Path, tmp_path: Path, out: str) -> None:
    """Another ending, a folder, a folder that is not there: one sentence, and nothing is left."""
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.iterdir())
    assert_one_sentence(cli("export", "report", "cost", "--db", db, "--out", tmp_path / out), 2, Path(out).parts[0])
    assert sorted(tmp_path.iterdir()) == before


def test_a_report_that_is_refused_leaves_the_file_as_it_was(cli: Cli, db: Path, tmp_path: Path) -> None:
    """Nothing is written before there is something to write."""
    out = tmp_path / "cost.csv"
    out.write_text("kept")
    assert cli("export", "report", "cost", "--by", "colour", "--db", db, "--out", out).status == 2
    assert out.read_text() == "kept"


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """What fails half-way leaves the old file and nothing beside it; what succeeds keeps its mode."""
    path = tmp_path / "a.csv"
    with pytest.raises(RuntimeError), whole_file(path) as part:
        _write_half(part)
    assert list(tmp_path.glob("*.csv*")) == []
    with whole_file(path) as part:
        part.write_text("whole")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    (tmp_path / "link.csv").symlink_to(path)
    with whole_file(tmp_path / "link.csv") as part:
        part.write_text("again")
    assert (tmp_path / "link.csv").is_symlink()
    assert path.read_text() == "again"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def _write_half(part: Path) -> None:
    part.write_text("half")
    raise RuntimeError


def test_a_device_is_not_overwritten() -> None:
    """What is there and no file stays."""
    with pytest.raises(UsageError, match="no file"), whole_file(Path(os.devnull)):
        pass
