"""Which instances may be paused: by evidence or by name, never what is in use, young or not known to earn; by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from acting_by_hand import AS_OF, NOW, at, idle_account, samples, used
from marts_by_hand import HOUR_US, connection, fill
from mithril_elt.acting import Candidate, Rules, find_candidates
from mithril_elt.errors import UsageError
from mithril_elt.reports.marts import Marts
from mithril_elt.reports.use import LowUse, UseTable, read_use

OPEN = {"idle", "busy", "unseen", "young", "paused", "broken", "starting", "unrated", "nothing", "short"}


@pytest.fixture
def marts() -> Iterator[Marts]:
    """The idle account's marts."""
    made = connection()
    fill(made, idle_account())
    yield Marts(made, "marts")
    made.close()


@pytest.fixture
def use(marts: Marts, tmp_path: Path) -> LowUse:
    """idle has been at 4.9 % for three hours, up to as_of; busy was until half an hour ago, and again just now."""
    rows = [*samples("idle", -5, -3.25, 80), *samples("idle", -3, 0, "4.9"), *samples("busy", -5, -0.5, 1)]
    rows += samples("busy", -0.4, 0, 5)
    return read_use(marts, UseTable(str(used(tmp_path / "use.csv", rows))))


def found(marts: Marts, rules: Rules = Rules(), use: LowUse | None = None) -> dict[str, Candidate]:  # noqa: B008  # frozen
    """What is said of each instance, by its name."""
    return {each.instance_id.removeprefix("inst_"): each for each in find_candidates(marts, rules, use, NOW)}


def test_without_a_table_of_use_nothing_that_runs_is_paused(marts: Marts) -> None:
    """Only what is broken may be; of each other one it is said why not, but for those that no pause is of."""
    by_name = found(marts)
    assert by_name.keys() == OPEN
    assert {name: each.refusal for name, each in by_name.items()} == {
        "idle": "use_unknown",
        "busy": "use_unknown",
        "unseen": "use_unknown",
        "young": "too_young",
        "paused": "paused",
        "broken": "",
        "starting": "on_its_way",
        "unrated": "no_rate",
        "nothing": "earns_nothing",
        "short": "ends_too_soon",
    }


def test_what_a_pause_earns_is_the_rate_until_the_reservation_ends(marts: Marts, use: LowUse) -> None:
    """$5 an hour: $50 in the 10 hours that are left, $40 in 8; what the report says so far stands beside it."""
    broken = found(marts)["broken"]
    assert (broken.planned, broken.expected_cent_us) == (timedelta(hours=10), 500 * 10 * HOUR_US)
    assert (broken.opportunity, broken.idle_since) == ("pause_when_idle", at(-8))
    assert (broken.idle_us, broken.at_stake_cent_us) == (8 * HOUR_US, 500 * 8 * HOUR_US)
    idle = found(marts, Rules(lasts=timedelta(hours=8)), use)["idle"]
    assert idle.expected_cent_us == 500 * 8 * HOUR_US
    assert (idle.opportunity, idle.idle_since) == ("pause_when_unused", at(-3))


def test_an_instance_under_the_threshold_is_paused_and_one_that_is_not_is_left(marts: Marts, use: LowUse) -> None:
    """5 % is in use where the threshold is 5; what the table does not tell of stays unknown."""
    by_name = found(marts, use=use)
    assert [name for name, each in by_name.items() if not each.refusal] == ["broken", "idle"]
    assert (by_name["busy"].refusal, by_name["unseen"].refusal) == ("in_use", "use_unknown")


def test_it_has_to_be_idle_for_long_enough_and_old_enough(marts: Marts, use: LowUse) -> None:
    """Three hours are not four; instances of 47 hours are younger than two days."""
    assert found(marts, Rules(idle_for=timedelta(hours=4)), use)["idle"].refusal == "in_use"
    assert found(marts, Rules(safe_age=timedelta(days=2)), use)["idle"].refusal == "too_young"
    marts.connection.execute("update marts.dim_instances set created_at = ? where instance_name = 'idle'", [at(-5.9)])
    assert found(marts, use=use)["idle"].refusal == "too_young"


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("unseen", ""),
        ("starting", ""),
        ("busy", "in_use"),
        ("young", "too_young"),
        ("spot", "spot"),
        ("ended", "ended"),
        ("cpu", "no_reservation"),
        ("nobody", "unknown"),
    ],
)
def test_a_name_stands_for_evidence_but_for_nothing_else(marts: Marts, use: LowUse, name: str, refusal: str) -> None:
    """Who names an instance is believed where nothing is known, not against the table, the age or the order."""
    by_name = found(marts, Rules(named=(f"inst_{name}",)), use)
    assert {each: one.refusal for each, one in by_name.items()} == {name: refusal}


def test_a_table_has_to_reach_up_to_now(marts: Marts, tmp_path: Path) -> None:
    """16 minutes ago it may have been idle; 15 minutes ago is what the longest gap allows."""
    for minutes, refusal in ((16, "use_unknown"), (15, "")):
        file = used(tmp_path / f"{minutes}.csv", samples("idle", -3 - minutes / 60, -minutes / 60, 0))
        assert found(marts, use=read_use(marts, UseTable(str(file))))["idle"].refusal == refusal, minutes


def test_a_gap_parts_low_use_and_is_unknown(marts: Marts, tmp_path: Path) -> None:
    """Idle for two hours, 20 minutes of nothing, 30 minutes more: that is idle for half an hour, and one gap."""
    rows = [*samples("idle", -3, -1, 0), *samples("idle", -40 / 60, 0, 0)]
    table = read_use(marts, UseTable(str(used(tmp_path / "use.csv", rows))))
    assert [(gap.from_at, gap.to_at) for gap in table.gaps] == [(at(-1), at(-40 / 60))]
    assert table.low_since("inst_idle", AS_OF) == at(-40 / 60)
    assert found(marts, use=table)["idle"].refusal == "in_use"


@pytest.mark.parametrize("pct", ["", "NaN", "-1", "101", "idle"])
def test_a_value_that_is_none_is_unknown(marts: Marts, tmp_path: Path, pct: str) -> None:
    """It is neither low nor high: the time to both sides of it is a gap."""
    rows = [*samples("idle", -3, -1, 0), (at(-0.9), "inst_idle", pct), *samples("idle", -0.8, 0, 0)]
    table = read_use(marts, UseTable(str(used(tmp_path / "use.csv", rows))))
    assert [(gap.from_at, gap.to_at) for gap in table.gaps] == [(at(-1), at(-0.8))]


def test_of_several_gpus_the_busiest_counts(marts: Marts, tmp_path: Path) -> None:
    """Seven that are idle and one that works make an instance that works; one row that says nothing makes a gap."""
    low = samples("idle", -3, 0, 1)
    busy = [*low, *samples("idle", -3, 0, 90)]
    assert read_use(marts, UseTable(str(used(tmp_path / "a.csv", busy)))).low == ()
    dark = [*low, (at(0), "inst_idle", "")]
    assert read_use(marts, UseTable(str(used(tmp_path / "b.csv", dark)))).low_since("inst_idle", AS_OF) is None


def test_rows_that_nobody_can_read_are_counted(marts: Marts, tmp_path: Path) -> None:
    """Without an instant or an instance a row is left out, and not silently."""
    file = used(tmp_path / "use.csv", samples("idle", -1, 0, 0))
    file.write_text(file.read_text() + "yesterday,inst_idle,0\n2026-03-31T11:00:00Z,,0\n")
    assert read_use(marts, UseTable(str(file))).unreadable_rows == 2


def test_parquet_and_a_table_say_the_same_as_csv(marts: Marts, tmp_path: Path) -> None:
    """Whatever the columns' types; instants without a zone are UTC."""
    file = used(tmp_path / "use.csv", [*samples("idle", -3, 0, "4.9"), *samples("busy", -3, 0, 5)])
    told = read_use(marts, UseTable(str(file)))
    typed = f"""
        select "timestamp"::timestamptz at time zone 'UTC' as "timestamp", instance, gpu_utilisation::double
            as gpu_utilisation
        from read_csv('{file}')
    """
    with duckdb.connect() as other:
        other.execute("set timezone = 'UTC'")
        other.execute(f"copy ({typed}) to '{tmp_path / 'use.parquet'}'")
    marts.connection.execute("set timezone = 'UTC'")
    marts.connection.execute(f"create schema metrics; create table metrics.gpus as {typed}")
    assert read_use(marts, UseTable(str(tmp_path / "use.parquet"))) == told
    assert read_use(marts, UseTable("metrics.gpus")) == told
    assert len(told.low) == 1


def test_a_threshold_is_a_percentage() -> None:
    """Text as a user writes it; what is none is refused."""
    assert UseTable.asked("a.csv", "7.5", timedelta(minutes=5)).threshold_pct == Decimal("7.5")
    for text in ("0", "-1", "101", "NaN", "low"):
        with pytest.raises(UsageError, match="is no percentage"):
            UseTable.asked("a.csv", text, timedelta(minutes=5))
