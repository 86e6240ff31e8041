"""Airflow 3: a DAG that loads each day once it is over, and builds the models. Put it into the folder of DAGs.

Airflow's packages and those of mithril-elt exclude each other, so the DAG only calls the command, which is installed in
an environment of its own: `python3 -m venv /srv/mithril/venv && /srv/mithril/venv/bin/pip install mithril-elt`.

The key is the password of the connection `mithril` (type `generic`), in whatever backend of secrets Airflow has; its
host, if there is one, is the address of the API.
"""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import Connection, CronDataIntervalTimetable, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

COMMAND = os.environ.get("MITHRIL_ELT", "/srv/mithril/venv/bin/mithril-elt")
FOLDER = Path(os.environ.get("MITHRIL_FOLDER", "/srv/mithril"))

NETWORK_FAILED, LOCK_IS_HELD = 5, 8


@task(retries=4, retry_delay=timedelta(minutes=10), retry_exponential_backoff=True)
def mithril_elt(*arguments: str) -> None:
    """One command. It is tried again only where that may help; while another run goes on it is skipped."""
    found = Connection.get("mithril")
    environ = {**os.environ, "MITHRIL_API_KEY": found.password or ""}
    if found.host:
        environ["MITHRIL_API_URL"] = found.host
    ended = subprocess.run([COMMAND, *arguments], cwd=FOLDER, env=environ, check=False)  # noqa: S603  # the DAG's own
    if ended.returncode == LOCK_IS_HELD:
        raise AirflowSkipException("another run goes on: the next interval reads this time too")
    if ended.returncode == NETWORK_FAILED:
        raise AirflowException("the API or the network failed")
    if ended.returncode:
        raise AirflowFailException(f"mithril-elt ended with {ended.returncode}: the log says why")


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=True,  # each day that was missed, in turn
    max_active_runs=1,  # one file has one writer
    tags=["mithril"],
)
def mithril() -> None:
    """The data interval is the time that is read; the look-back before it comes by itself."""
    interval = ("--since", "{{ data_interval_start.isoformat() }}", "--until", "{{ data_interval_end.isoformat() }}")
    mithril_elt.override(task_id="run")("run", *interval, "--log-format", "json")


mithril()
