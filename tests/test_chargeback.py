"""Chargeback: the user's rules, the lines worked by hand, and that they add up to what `report cost` tells."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import mithril_elt
from commands import Cli
from marts_by_hand import fill
from mithril_elt.errors import UsageError
from mithril_elt.reports import Rule, as_chart, read_rules, render, report
from small_account import records, small_account, small_marts

HEADER = "pattern,label\n"


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The small account's marts, anew for each test."""
    yield from small_marts()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The same in a file."""
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as made:
        fill(made, small_account())
    return path


def rules(*told: tuple[str, str]) -> list[Rule]:
    """Rules as if they stood in a file, one a line."""
    return [Rule(pattern, label, f"rules.csv, line {line}") for line, (pattern, label) in enumerate(told, start=2)]


def lines(found: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """Those columns of each line, then its kind, hours and dollars without the zeros at their end."""
    return [
        (
            *(row[column] for column in columns),
            row["line"],
            f"{Decimal(row['hours']).normalize():f}",
            row["cost_usd"] and f"{Decimal(row['cost_usd']).normalize():f}",
        )
        for row in found
    ]


def test_lines_by_project_user_and_label(marts: duckdb.DuckDBPyConnection) -> None:
    """Idle hours are under who placed the reservation, under no label, and in nobody else's line; credits reduce."""
    found = records(report(marts, "chargeback", rules=rules(("*3", "three"), ("machine ?", "others"))))
    assert lines(found, "project_id", "user_id", "label") == [
        ("proj_a", "user_v", None, "idle", "4", "96"),
        ("proj_a", "user_u", "others", "spot", "1.75", "19.505"),
        ("proj_a", "user_u", "three", "reserved", "1", "24"),
        ("proj_a", "user_u", "three", "pause credit", "1.5", "-7.5"),
        ("proj_a", "user_v", "others", "spot", "1", "2"),
    ]


def test_subtotals_are_for_readers_alone(marts: duckdb.DuckDBPyConnection) -> None:
    """Under the lines what each label comes to, without a label what each group of the first grouping does; no file has
    them: $21.505 of `others`, $24 less $7.50 of `three`."""
    told = rules(("*3", "three"), ("machine ?", "others"))
    whole = report(marts, "chargeback", rules=told)
    shown = render(whole, "table", width=200).split("\n\n")
    assert shown[2].splitlines() == [
        "              cost",
        "label          USD",
        "──────────────────",
        "(idle)       96.00",
        "others       21.50",
        "three        16.50",
        "──────────────────",
        "Total of 3  134.00",
    ]
    assert "Total of 2" in render(report(marts, "chargeback", by=["user", "region"]), "table").split("\n\n")[2]
    assert len(render(whole, "csv").splitlines()) == 6
    assert "Total of 3" not in render(report(marts, "chargeback", rules=told, limit=4), "table")
    assert [line.split()[:2] for line in as_chart(whole).splitlines()[2:5]] == [
        ["(idle)", "96.00"],
        ["others", "21.50"],
        ["three", "16.50"],
    ]
    marts.execute("update marts.fct_reservation_hours set allocated_unused_cent_us = null")
    unknown = render(report(marts, "chargeback", by=["label"], rules=told), "table")
    assert [line.split() for line in unknown.splitlines() if line.startswith("(idle)")][-1] == ["(idle)", "–"]


def test_the_first_rule_that_fits_holds_and_what_none_fits_is_said(marts: duckdb.DuckDBPyConnection) -> None:
    """A name that no rule fits is under (no rule); instances of one label are one line."""
    found = records(report(marts, "chargeback", by=["label"], rules=rules(("*1", "a"), ("machine [23]", "b"))))
    assert lines(found, "label") == [
        (None, "idle", "4", "96"),
        ("a", "spot", "1.75", "19.505"),
        ("b", "spot", "1", "2"),
        ("b", "reserved", "1", "24"),
        ("b", "pause credit", "1.5", "-7.5"),
    ]
    found = records(report(marts, "chargeback", by=["label"], rules=rules(("MACHINE*", "a"))))
    assert {row["label"] for row in found} == {None, "(no rule)"}


def test_an_instance_without_a_name_is_matched_as_an_empty_one(marts: duckdb.DuckDBPyConnection) -> None:
    """A rule for anything takes it, one for something does not."""
    marts.execute("update marts.dim_instances set instance_name = null where instance_id = 'inst_2'")
    for pattern, label in (("*", "all"), ("?*", "(no rule)")):
        found = records(report(marts, "chargeback", by=["instance", "label"], rules=rules((pattern, "all"))))
        assert {row["label"] for row in found if row["instance_id"] == "inst_2"} == {label}


def test_rules_that_are_for_nothing_are_told(marts: duckdb.DuckDBPyConnection) -> None:
    """Apart: a name that nothing has, and one that an earlier rule takes; only where a label is asked for."""
    told = rules(("machine*", "all"), ("machine 1", "one"), ("eval-*", "none"))
    warnings = report(marts, "chargeback", rules=told).warnings
    assert warnings[-2:] == (
        "rules.csv, line 3: the rule 'machine 1' is for nothing: all that it fits is taken by 'machine*' before it.",
        "rules.csv, line 4: the rule 'eval-*' is for nothing: no instance has such a name.",
    )
    assert "There are no rules" in report(marts, "chargeback").warnings[-1]
    assert not [each for each in report(marts, "chargeback", by=["user"]).warnings if "rule" in each]


def test_what_is_not_known_is_null_and_said(marts: duckdb.DuckDBPyConnection) -> None:
    """Idle time without a price has hours and no dollars; what stands beside it is summed all the same."""
    marts.execute("update marts.fct_reservation_hours set allocated_unused_cent_us = null where day = '2026-03-31'")
    whole = report(marts, "chargeback", by=["day"])
    found = [row for row in lines(records(whole), "day") if row[1] == "idle"]
    assert found == [("2026-03-31", "idle", "3", None), ("2026-04-01", "idle", "1", "24")]
    assert whole.total == (None, Decimal("62.005"))  # 19.505 + 2 + 24 used + 24 idle - 7.5
    assert any("No unit price is known for 0.00 h of reserved time used and 3.00 h unused" in w for w in whole.warnings)
    marts.execute("update marts.fct_reservation_hours set allocated_unused_cent_us = null")
    assert report(marts, "chargeback", by=["project"], only={"user": "user_v"}).total == (None, Decimal(2))


def test_cost_without_time_is_a_line(marts: duckdb.DuckDBPyConnection) -> None:
    """Where more was used than reserved, what is left of the price of the hour is no time, and has an amount."""
    marts.execute("delete from marts.fct_reservation_hours where hour_at > '2026-03-31 22:00'")
    marts.execute("update marts.fct_reservation_hours set unused_us = 0, allocated_unused_cent_us = -360000000000")
    found = records(report(marts, "chargeback", by=["reservation"], only={"order": "res_1"}))
    assert ("res_1", "idle", "0", "-1") in lines(found, "reservation_id")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pattern\n*,\n", r"lacks label: it is a CSV file with the columns pattern, label"),
        ("pattern;label\n*;a\n", "has semicolons between its columns: save it as CSV with commas; it is a CSV file"),
        ("pattern\tlabel\n*\ta\n", "has tabs between its columns: save it as CSV with commas"),
        (HEADER, "has no rule"),
        (HEADER + ",a\n", "line 2: there is no pattern"),
        (HEADER + "*,\n", "line 2: '' is no label"),
        (HEADER + "*,(no rule)\n", "stands for names that no rule fits"),
        (HEADER + "a*,a\na*,b\n", r"line 3: the pattern 'a\*' is there already \(.*line 2\)"),
        (HEADER + "train-[ab,a\n", "line 2: the pattern 'train-.ab' is broken: the bracket . does not close"),
        (HEADER + "[],a\n", "does not close"),
        (HEADER + "[!],a\n", "does not close"),
        (HEADER + "[a-c][9-0],a\n", "9-0 goes from the later sign to the earlier"),
    ],
)
def test_rules_that_are_none_are_refused_by_their_line(tmp_path: Path, text: str, words: str) -> None:
    """Nothing is guessed, and nothing is left out."""
    path = tmp_path / "rules.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_rules(path)


def test_patterns_that_are_whole(tmp_path: Path) -> None:
    """Brackets as signs, ranges, an end that is a bracket, and a byte order mark as spreadsheets write it."""
    path = tmp_path / "rules.csv"
    path.write_text("\ufeffpattern,label\n[[]x],a\n[]]y,b\n[!a-c]z,c\n a.b* , d \n", encoding="utf-8")
    told = read_rules(path)
    assert [(rule.pattern, rule.label) for rule in told] == [
        ("[[]x]", "a"),
        ("[]]y", "b"),
        ("[!a-c]z", "c"),
        ("a.b*", "d"),
    ]
    fits = {"[x]": 0, "]y": 1, "dz": 2, "bz": None, "a.bc": 3, "axbc": None, "a.b\nc": 3, "xa.b": None}
    assert {name: next((n for n, rule in enumerate(told) if rule.fits(name)), None) for name in fits} == fits


def test_the_command_finds_its_rules(cli: Cli, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, else the environment, else chargeback.csv where it is run, else none, which is said."""

    def labels(*options: str | Path) -> set[str]:
        done = cli("report", "chargeback", "--by", "label", "--format", "csv", "--db", db, *options)
        assert done.status == 0, done.err
        assert ("There are no rules" in done.err) is ("(no rule)" in done.out)
        return {line.partition(",")[0] for line in done.out.splitlines()[1:]} - {""}

    for name in ("chargeback", "named", "given"):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}*,{name}\n")
    assert labels() == {"chargeback"}
    monkeypatch.setenv("MITHRIL_CHARGEBACK_RULES", "named.csv")
    assert labels() == {"named"}
    assert labels("--rules", "given.csv") == {"given"}
    (tmp_path / "chargeback.csv").unlink()
    monkeypatch.delenv("MITHRIL_CHARGEBACK_RULES")
    assert labels() == {"(no rule)"}
    assert cli("report", "cost", "--db", db, "--rules", "given.csv").status == 2
    for option in ("none.csv", tmp_path):
        assert cli("report", "chargeback", "--db", db, "--rules", option).status == 2
    monkeypatch.setenv("MITHRIL_CHARGEBACK_RULES", "none.csv")
    ended = cli("report", "chargeback", "--db", db)
    assert (ended.status, "the rules in none.csv cannot be read" in ended.err) == (2, True)
    assert cli("report", "cost", "--db", db).status == 0


def test_a_frame_takes_the_path_of_rules(db: Path, tmp_path: Path) -> None:
    """In Python nothing is looked for: rules are those that are named."""
    (tmp_path / "chargeback.csv").write_text(HEADER + "machine 1,first\n")
    opened = mithril_elt.open(db)
    assert set(opened.chargeback("label")["label"].dropna()) == {"(no rule)"}
    assert set(opened.chargeback("label", rules=tmp_path / "chargeback.csv")["label"].dropna()) == {
        "first",
        "(no rule)",
    }


@pytest.mark.parametrize(("by", "words"), [(["hour"], "no meaning by hour"), (["line"], "no grouping")])
def test_groupings_without_meaning(marts: duckdb.DuckDBPyConnection, by: list[str], words: str) -> None:
    """Lines by the hour would be millions; a line is part of each row anyway. No other report has labels."""
    with pytest.raises(UsageError, match=words):
        report(marts, "chargeback", by=by)
    with pytest.raises(UsageError, match="no meaning by label"):
        report(marts, "cost", by=["label"])
    with pytest.raises(UsageError, match="no part of an account"):
        report(marts, "chargeback", only={"label": "a"})
