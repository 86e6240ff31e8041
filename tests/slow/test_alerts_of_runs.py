"""What becomes of a whole run: prices that are missing are told once, and a data test that fails."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from commands import Cli
from scripted import KEY, Answer, scripted
from told_account import telling


def test_hours_without_a_price_and_a_data_test_that_fails(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The run that finds them tells of them, the next, which finds no more, does not; both facts are in the JSON."""
    db = tmp_path / "a.duckdb"
    monkeypatch.setenv("MITHRIL_API_KEY", KEY)
    with scripted(Answer(200)) as hook, scripted(telling({"/v2/instances/pricing/history": {"instances": []}})) as api:
        monkeypatch.setenv("MITHRIL_WEBHOOK_URL", hook.url)
        monkeypatch.setenv("MITHRIL_API_URL", api.url)
        monkeypatch.setenv("MITHRIL_METRICS_FILE", str(tmp_path / "mithril.prom"))
        first = cli("run", "--db", db, "--json")
        assert first.status == 0, first.err
        figures = json.loads(first.out)["figures"]
        assert figures["unpriced_hours"].startswith("2")  # it has run for twenty hours and a part of one
        assert figures["unpriced_hours_before"] is None
        metrics = (tmp_path / "mithril.prom").read_text()
        assert f'mithril_elt_last_run_unpriced_hours{{command="run"}} {float(figures["unpriced_hours"])}' in metrics
        [asked] = hook.asked
        body = json.loads(asked.body)
        assert (body["status"], body["exit_status"]) == ("unpriced_hours", 0)
        assert body["figures"]["unpriced_hours"] == figures["unpriced_hours"]
        again = json.loads(cli("build", "--db", db, "--json").out)["figures"]
        assert again["unpriced_hours_before"] == again["unpriced_hours"] == figures["unpriced_hours"]
        assert len(hook.asked) == 1
        with duckdb.connect(str(db)) as connection:
            connection.execute("delete from raw.instance_status_events where true")
        failed = cli("build", "--db", db)
        assert failed.status == 7, failed.err
        assert json.loads(hook.asked[1].body)["status"] == "data_test_failed"
