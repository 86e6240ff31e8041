"""What a probe has seen of the open readings of the API, and where it is kept: beside the database.

Stands beside `lock`, under `probe`, which finds, and `load`, which may save requests by it. What is kept
is a hint: whoever uses it must be right without it, and where it turns out to be wrong.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from mithril_elt.errors import WarehouseError
from mithril_elt.instants import iso
from mithril_elt.lock import make_work_folder, work_folder
from mithril_elt.place import Place

__all__ = ["Finding", "Saved", "save_findings", "saved_findings", "saved_readings"]

log = logging.getLogger("mithril_elt")


@dataclass(frozen=True)
class Finding:
    """What was seen of one open reading.

    `reading`: its name. `seen`: its value as text, `true` and `false` for on and off; None: this account
    cannot tell. `why`: what decides it, or why nothing does, in one sentence. `evidence`: the request, its
    status and the one or two rows that decide it; {} where there is none.
    """

    reading: str
    seen: str | None
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """All that one probe has seen: when, by the server's clock, of which account's address."""

    at: str
    account: str
    findings: tuple[Finding, ...]


def save_findings(db: Place, findings: Iterable[Finding], *, at: datetime, url: str) -> Path:
    """Keeps them beside the database in the place of those before; the file they are in now.

    A reader sees the old ones or the new ones, never a half.

    Raises:
        WarehouseError: the folder cannot be written.
    """
    content = {"at": iso(at), "account": url, "findings": [asdict(finding) for finding in findings]}
    file = _file(db)
    try:
        make_work_folder(db)
        with NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", delete=False) as whole:
            json.dump(content, whole, indent=1, ensure_ascii=False)
        Path(whole.name).replace(file)
    except OSError as error:
        raise WarehouseError(f"the folder of {db} cannot be written: {error.strerror or error}") from None
    return file


def saved_findings(db: Place) -> Saved | None:
    """What was kept for that database; None where nothing was, or, with a warning, where it cannot be read."""
    file = _file(db)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        findings = tuple(_finding(each) for each in content["findings"])
        return Saved(str(content["at"]), str(content["account"]), findings)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("%s cannot be read (%s): going on without it; `probe --save` writes it anew", file, _kind(error))
        return None


def saved_readings(db: Place) -> dict[str, str]:
    """By the name of each reading that was seen, its value; {} where nothing was kept or can be read."""
    saved = saved_findings(db)
    return {each.reading: each.seen for each in saved.findings if each.seen is not None} if saved else {}


def _file(db: Place) -> Path:
    return work_folder(db) / "readings.json"


def _finding(kept: Mapping[str, Any]) -> Finding:
    seen = kept["seen"]
    return Finding(str(kept["reading"]), None if seen is None else str(seen), str(kept["why"]), dict(kept["evidence"]))


def _kind(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
