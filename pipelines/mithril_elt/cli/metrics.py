"""A run in numbers, for those who watch many: what each stands for, and as a text file for Prometheus' node_exporter.

Stands inside `cli`, under `summary`; `telemetry` sends the same numbers as OpenTelemetry's metrics.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Metric", "metrics_of", "write_metrics"]

log = logging.getLogger("mithril_elt")

_FILE = "MITHRIL_METRICS_FILE"


@dataclass(frozen=True)
class Metric:
    """One number of the last run. `unit`: as OpenTelemetry writes it; `suffix`: as Prometheus names it."""

    name: str
    value: int | float  # exact-ok: a sample for a monitor, which knows no decimals
    unit: str
    suffix: str
    says: str


_COUNTED = {
    "rows": ("{row}", "", "Rows read."),
    "requests": ("{request}", "", "Requests sent, those sent again included."),
    "retries": ("{request}", "", "Requests that were sent again."),
    "bytes": ("By", "", "Bytes of the answers, unpacked."),
    "late_rows": ("{row}", "", "Rows that an earlier run should have seen."),
}


def metrics_of(facts: Mapping[str, Any], now: datetime) -> list[Metric]:
    """The numbers of a run by its summary; those alone that are known."""
    took_ms, figures = sum(facts["stages_ms"].values()), facts.get("figures", {})
    found = [
        Metric("exit_status", facts["exit_status"], "1", "", "How it ended; 0: done, 8: another run held the lock."),
        Metric("ended", int(now.timestamp()), "s", "_timestamp_seconds", "When it ended, in seconds since 1970."),
        Metric("duration", took_ms / 1000, "s", "_seconds", "How long its stages took."),
    ]
    found += [Metric(name, facts[name], *told) for name, told in _COUNTED.items() if name in facts]
    as_of = figures.get("as_of") or facts.get("as_of")
    if as_of:
        age_s = int((now - datetime.fromisoformat(as_of)).total_seconds())
        found.append(Metric("as_of_age", age_s, "s", "_seconds", "How long ago its figures are complete up to."))
    if "unpriced_hours" in figures:
        hours = float(figures["unpriced_hours"])  # exact-ok: as above
        found.append(Metric("unpriced_hours", hours, "h", "", "Hours billed on spot that no price covers."))
    return found


def write_metrics(facts: Mapping[str, Any], command: str) -> None:
    """Puts them where MITHRIL_METRICS_FILE says, if it does, whole at every moment; a failure is only said."""
    name = os.environ.get(_FILE, "").strip()
    if not name:
        return
    lines = []
    for metric in metrics_of(facts, datetime.now(UTC)):
        full = f"mithril_elt_last_run_{metric.name}{metric.suffix}"
        lines += [
            f"# HELP {full} {metric.says}",
            f"# TYPE {full} gauge",
            f'{full}{{command="{command}"}} {metric.value}',
        ]
    try:
        _replace(Path(name), "\n".join(lines) + "\n")
    except OSError as error:
        log.warning("%s could not be written: %s", _FILE, error.strerror or type(error).__name__)


def _replace(file: Path, text: str) -> None:
    """Readers see the old file or the new one. It may be read by all, since node_exporter is another user."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
