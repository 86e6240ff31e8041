"""Where the examples of schedules are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SCHEDULES"]

SCHEDULES = Path(__file__).parent.parent.parent / "docs" / "schedules"
