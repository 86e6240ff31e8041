"""The command `report`: what it prints where, what it reads, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from click.testing import CliRunner, Result

from marts_by_hand import fill
from mithril_elt.cli.report import report_command
from mithril_elt.errors import MithrilError, UsageError, WarehouseError
from mithril_elt.reports import GROUPINGS, REPORT_NAMES
from small_account import small_account


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database file with the small account's marts."""
    return _made(tmp_path / "small.duckdb")


def _made(path: Path, *, schema: str = "marts", as_of: str | None = None) -> Path:
    with duckdb.connect(str(path)) as connection:
        fill(connection, small_account(), schema=schema)
        if as_of is not None:
            connection.execute(f"update {schema}.dim_projects set as_of = timestamp '{as_of}'")
    return path


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(report_command, [str(argument) for argument in arguments])


def _refused(*arguments: str | Path) -> MithrilError:
    error = _run(*arguments).exception
    assert isinstance(error, MithrilError)
    assert "\n" not in str(error)
    return error


def test_a_table_is_what_is_printed_unless_asked_otherwise(db: Path) -> None:
    """Data goes to stdout, without colour where it is no terminal, and nothing to stderr."""
    done = _run("cost", "--by", "day", "--db", db)
    assert done.exit_code == 0
    assert done.stdout.startswith("Cost by day, all time\n")
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_json_has_a_short_form(db: Path) -> None:
    """--json is --format json, and the options reach the report."""
    options = ["cost", "--by", "day", "--by", "region", "--from", "2026-03-31", "--to", "2026-04-01T02:00:00+02:00"]
    short, long = _run(*options, "--json", "--db", db), _run(*options, "--format", "json", "--db", db)
    assert short.stdout == long.stdout
    document = json.loads(short.stdout)
    assert (document["from"], document["to"]) == ("2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z")
    assert {row["day"] for row in document["rows"]} == {"2026-03-31"}
    assert {row["region"] for row in document["rows"]} == {"us-east1-a", "eu-central1-b"}


def test_rows_by_instance_add_up_to_the_report(db: Path) -> None:
    """What a reader adds up from the JSON is what the ungrouped report says, to the last digit."""
    rows = json.loads(_run("cost", "--by", "instance", "--json", "--db", db).stdout)["rows"]
    [whole] = json.loads(_run("cost", "--json", "--db", db).stdout)["rows"]
    for column in ("spot_cost_usd", "allocated_cost_usd", "pause_credit_usd", "net_cost_usd", "billed_hours"):
        assert sum(_units(row[column]) for row in rows) == _units(whole[column])


def _units(text: str) -> int:
    """A decimal string of twelve places as an integer."""
    assert len(text.partition(".")[2]) == 12
    return int(text.replace(".", ""))


def test_the_warnings_of_csv_go_to_stderr(db: Path) -> None:
    """CSV stays machine-readable, and what is missing is still said."""
    done = _run("cost", "--by", "order", "--limit", "1", "--format", "csv", "--db", db)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.count("Warning: ") == 3
    assert "--limit 1" in done.stderr


def test_a_dataset_of_ones_own_is_read(tmp_path: Path) -> None:
    """--dataset NAME reads NAME_marts."""
    path = _made(tmp_path / "other.duckdb", schema="spring_marts")
    assert _run("usage", "--dataset", "spring", "--db", path).exit_code == 0
    assert "no marts" in str(_refused("usage", "--db", path))


def test_an_earlier_as_of_is_built_in_a_scratch_database(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--as-of before the marts' own builds scratch marts at that instant, and reads those."""
    asked: list[tuple[Path, datetime, str | None, str]] = []
    scratch = _made(tmp_path / "scratch.duckdb", as_of="2026-03-31 12:34:56")

    @contextmanager
    def build_scratch(path: Path, *, as_of: datetime, dataset: str | None = None, timezone: str = "") -> Iterator[Path]:
        asked.append((path, as_of, dataset, timezone))
        yield scratch

    stand_in = ModuleType("mithril_elt.transform")
    vars(stand_in)["build_scratch"] = build_scratch
    monkeypatch.setitem(sys.modules, "mithril_elt.transform", stand_in)
    done = _run("usage", "--as-of", "2026-03-31T14:34:56+02:00", "--json", "--db", db)
    assert json.loads(done.stdout)["as_of"] == "2026-03-31T12:34:56Z"
    assert asked == [(db, datetime(2026, 3, 31, 12, 34, 56, tzinfo=UTC), None, "UTC")]
    own = _run("usage", "--as-of", "2026-04-01T00:30:00Z", "--json", "--db", db)
    assert json.loads(own.stdout)["as_of"] == "2026-04-01T00:30:00Z"
    assert len(asked) == 1


def test_an_as_of_past_the_marts_is_refused(db: Path) -> None:
    """A month that is not loaded to its end is not printed as if it were."""
    error = _refused("cost", "--as-of", "2026-05-01", "--db", db)
    assert isinstance(error, UsageError)
    assert "2026-04-01T00:30:00Z" in str(error)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["costs"], "no report 'costs'"),
        (["cost", "--by", "colour"], "'colour'"),
        (["cost", "--from", "2026-03-01T10:00:00"], "--from"),
        (["cost", "--to", "soon"], "--to 'soon'"),
        (["cost", "--from", "2026-03-01T10:30:00Z"], "whole UTC hour"),
        (["cost", "--as-of", "2026-03-01T10:30"], "--as-of"),
        (["cost", "--format", "xml"], "'xml'"),
        (["cost", "--limit", "-1"], "--limit -1"),
    ],
)
def test_what_has_no_meaning_is_refused_in_one_sentence(db: Path, arguments: list[str], words: str) -> None:
    """Each is an error of usage that names what was wrong."""
    error = _refused(*arguments, "--db", db)
    assert isinstance(error, UsageError)
    assert words in str(error)


def test_a_file_that_is_missing_or_no_database_is_said_to_be(tmp_path: Path) -> None:
    """No file is a matter of usage; a file of something else, of the warehouse; neither is touched."""
    missing, other, folder = tmp_path / "none.duckdb", tmp_path / "notes.txt", tmp_path / "folder"
    assert isinstance(_refused("cost", "--db", missing), UsageError)
    assert not missing.exists()
    other.write_text("not a database " * 100)
    assert isinstance(_refused("cost", "--db", other), WarehouseError)
    assert other.read_text() == "not a database " * 100
    folder.mkdir()
    assert _run("cost", "--db", folder).exit_code != 0


def test_a_database_in_use_by_another_process_is_said_to_be(db: Path) -> None:
    """While another process has it open for writing the report says so, and does not wait."""
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        error = _refused("cost", "--db", db)
        other.communicate()
    assert isinstance(error, WarehouseError)
    assert "process" in str(error)
    assert _run("cost", "--db", db).exit_code == 0


def test_an_output_that_lacks_signs_still_gets_its_table(db: Path) -> None:
    """In an encoding without dashes and rules the table has plain ones."""
    done = CliRunner(charset="ascii").invoke(report_command, ["cost", "--by", "order", "--db", str(db)])
    assert done.exit_code == 0
    text = done.stdout_bytes.decode("ascii")
    assert "-----" in text
    assert "bid_1" in text


def test_help_names_all_reports_and_groupings() -> None:
    """What can be asked for is in the help, with an example."""
    text = " ".join(_run("--help").stdout.replace("-\n", "-").split())
    for word in (*REPORT_NAMES, *GROUPINGS, "Example:"):
        assert word in text


def test_a_report_loads_neither_pandas_nor_dlt_nor_dbt(db: Path) -> None:
    """A report answers at once: what takes seconds to load is not loaded, with a span and warnings either."""
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        "from mithril_elt.reports import render, report;"
        "render(report(Path(sys.argv[1]), 'summary', from_at=datetime(2026, 3, 31, tzinfo=UTC)), 'table');"
        "print(sorted({'pandas', 'dlt', 'dbt', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(db)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "[]\n"
