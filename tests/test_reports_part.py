"""Reports of a part of the account: as that group of `--by`, with its warnings alone, whatever its id is made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import duckdb
import pytest

from commands import Cli, assert_one_sentence
from hostile import HARMFUL
from marts_by_hand import connection, fill
from mithril_elt.errors import UsageError
from mithril_elt.reports import PARTS, render, report
from mithril_elt.reports.catalog import REPORTS
from small_account import records, small_account, small_marts


@pytest.fixture(scope="module")
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts; they are only read."""
    yield from small_marts()


@pytest.mark.parametrize(("name", "option"), list(product(REPORTS, PARTS)))
def test_a_part_is_its_group(marts: duckdb.DuckDBPyConnection, name: str, option: str) -> None:
    """`--only user=x` says of each figure what the row of x in `--by user` says; without a meaning it is refused."""
    if option not in REPORTS[name].groupings:
        with pytest.raises(UsageError, match=f"no meaning for one {option}"):
            report(marts, name, only={option: "x"})
        return
    groups = report(marts, name, by=[option])
    rows = [row for row in groups.rows if row[0] is not None]
    places = len(groups.group_columns)
    for row in rows:
        part = report(marts, name, only={option: str(row[0])})
        if places == 1:  # an instance's unused reservation is a row of its own
            assert part.rows == (row[1:],)
        assert part.total == part.rows[0]
        assert dict(part.part) == {option: row[0]}
    assert rows


def test_parts_of_two_groupings_are_what_both_have(marts: duckdb.DuckDBPyConnection) -> None:
    """A part narrows the other, and may have nothing."""
    both = {tuple(row[:2]): row[2:] for row in report(marts, "cost", by=["user", "region"]).rows}
    found = report(marts, "cost", only={"user": "user_u", "region": "us-east1-a"})
    assert found.rows == (both["user_u", "us-east1-a"],)
    [nothing] = records(report(marts, "cost", only={"user": "user_u", "order": "bid_2"}))
    assert nothing["billed_hours"] == "0.000000000000"
    assert nothing["usd_per_gpu_hour"] is None


def test_warnings_are_those_of_the_part(marts: duckdb.DuckDBPyConnection) -> None:
    """The hour without a price is of inst_1, the unknown type of inst_2; each is said of its own part."""
    words = {option: report(marts, "cost", only={"instance": option}).warnings for option in ("inst_1", "inst_2")}
    assert [sentence.split(" for ")[0] for sentence in words["inst_1"]] == ["No price is known"]
    assert [sentence.split(" for ")[0] for sentence in words["inst_2"]] == ["The number of GPUs is not known"]
    assert len(report(marts, "cost").warnings) == 2


def test_a_part_that_is_not_there_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    """A misspelt id would be a report of zeros."""
    with pytest.raises(UsageError, match="--only user=user_w: the marts have no such user"):
        report(marts, "cost", only={"user": "user_w"})
    with pytest.raises(UsageError, match="is no part of an account"):
        report(marts, "cost", only={"month": "2026-03"})
    with pytest.raises(UsageError, match="it is of all that there is"):
        report(marts, "reconciliation", only={"reservation": "res_1"})


@pytest.mark.parametrize("identity", HARMFUL)
def test_any_id_can_be_asked_for(identity: str) -> None:
    """Quotes, signs that end a line, our own placeholders: the id is found, and only its rows are."""
    for user in (identity, identity + "{marts} as hugeint)%s"):
        account = small_account()
        account["dim_instances"][0]["user_id"] = user
        with connection() as made:
            fill(made, account)
            assert report(made, "usage", only={"user": user}).total == report(marts_of(account), "usage").total


def marts_of(account: dict[str, list[dict[str, object]]]) -> duckdb.DuckDBPyConnection:
    """The marts with the hours of the first instance alone."""
    made = connection()
    hours = [row for row in account["fct_instance_hours"] if row["instance_id"] == "inst_1"]
    fill(made, {**account, "fct_instance_hours": hours})
    return made


def test_what_is_printed_says_of_what_it_is(marts: duckdb.DuckDBPyConnection) -> None:
    """The title of a table, and a field of JSON; a report of everything has neither."""
    part = report(marts, "cost", by=["day"], only={"user": "user_u"})
    assert render(part, "table").startswith("Cost by day, user user_u, all time\n")
    assert '"only": {"user": "user_u"}' in render(part, "json")
    assert '"only"' not in render(report(marts, "cost"), "json")


def test_the_command_takes_parts(cli: Cli, tmp_path: Path) -> None:
    """`--only` may be given more than once, each grouping once."""
    db = tmp_path / "a.duckdb"
    with duckdb.connect(str(db)) as made:
        fill(made, small_account())
    done = cli("report", "cost", "--only", "user=user_u", "--only", "region=us-east1-a", "--json", "--db", db)
    assert '"only": {"user": "user_u", "region": "us-east1-a"}' in done.out
    for wrong in (["--only", "user"], ["--only", "user=a", "--only", "user=b"]):
        assert_one_sentence(cli("report", "cost", *wrong, "--db", db), 2, "GROUPING=ID")
