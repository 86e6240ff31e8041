"""The DAG, in Airflow's own environment: its data intervals are what is read, and only the network is tried again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from examples import SCHEDULES

from loading import query
from mithril_elt.sandbox.server import Sandbox

pytestmark = pytest.mark.timeout(900)

AIRFLOW = Path(os.environ.get("AIRFLOW", "airflow"))  # `make test-schedules` says where


@pytest.fixture
def environ(place: Path, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An Airflow of its own, whose folder of DAGs has the one; the key is in its connection, and nowhere else."""
    monkeypatch.delenv("MITHRIL_API_KEY")
    monkeypatch.delenv("MITHRIL_API_URL")
    dags = tmp_path / "airflow" / "dags"
    dags.mkdir(parents=True)
    shutil.copy(SCHEDULES / "airflow_mithril.py", dags)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DBT_"))},
        "AIRFLOW_HOME": str(dags.parent),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_MITHRIL": json.dumps({"conn_type": "generic", "password": sandbox.key, "host": sandbox.url}),
        "MITHRIL_ELT": str(Path(sys.executable).parent / "mithril-elt"),
        "MITHRIL_FOLDER": str(place),
    }


def run(*command: str | Path, environ: dict[str, str]) -> str:
    """What a command says, after it has ended well; the key is not in it."""
    ended = subprocess.run(
        list(map(str, command)), env=environ, capture_output=True, text=True, timeout=800, check=False
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert json.loads(environ["AIRFLOW_CONN_MITHRIL"])["password"] not in ended.stdout + ended.stderr
    return ended.stdout


def test_days_are_loaded_one_after_the_other(environ: dict[str, str], place: Path, sandbox: Sandbox) -> None:
    """`dags test` for a day, and for the next: each reads its interval, no hole between; what ends a task for good."""
    first = (datetime.fromtimestamp(sandbox.account.now_us / 1e6, UTC) - timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    second = first + timedelta(days=1)
    run(AIRFLOW, "db", "migrate", environ=environ)
    run(AIRFLOW, "dags", "test", "mithril", first.isoformat(), environ=environ)
    db = place / "mithril.duckdb"
    ends = "select max(to_at), (select max(as_of) from marts.dim_projects) from raw.windows"
    assert query(db, ends) == [(first.replace(tzinfo=None),) * 2]
    run(AIRFLOW, "dags", "test", "mithril", second.isoformat(), environ=environ)
    assert query(db, ends) == [(second.replace(tzinfo=None),) * 2]
    begins = "select distinct min(from_at) from raw.windows group by history"
    assert query(db, begins) == [((first - timedelta(days=1)).replace(tzinfo=None),)]
    assert query(db, "select count(*), count(distinct outcome) from raw.runs where outcome = 'done'") == [(2, 1)]
    told = run(AIRFLOW.parent / "python", Path(__file__).parent / "airflow_checks.py", environ=environ)
    facts = json.loads(told.splitlines()[-1])
    assert facts["errors"] == {}
    assert (facts["catchup"], facts["max_active_runs"], facts["retries"]) == (True, 1, 4)
    for_good, again = "AirflowFailException", "AirflowException"
    assert facts["ended"] == {
        **dict.fromkeys("12379", for_good),
        "0": "done",
        "5": again,
        "8": "AirflowSkipException",
    }
