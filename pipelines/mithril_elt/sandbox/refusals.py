"""What the sandbox's API refuses: a status and a sentence, answered as `{"detail": …}`.

Stands under the sandbox's answers: whoever finds a reason to refuse raises it, `app` answers it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["RefusedError"]


class RefusedError(Exception):
    """The request is answered with this status and this detail, a sentence or FastAPI's list, and changes nothing."""

    def __init__(self, http_status: int, detail: str | list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail
