"""An account told word by word: what each endpoint answers is in the test, as JSON or as the very bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripted import Answer, Asked

__all__ = ["FID", "TOLD", "telling"]

FID = "inst_0123456789abcdef"
_NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _ago(hours: int) -> str:
    return (_NOW - timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


_OWNED = {"instance_fid": FID, "bid_fid": "bid_a", "reservation_fid": None}
_MADE = {"created_by": "user_a", "created_at": _ago(30), "region": "us-east1-a", "instance_type": "it_a"}
TOLD: Mapping[str, Any] = {
    "/v2/me": {"fid": "user_a", "email": None},
    "/v2/projects": [{"fid": "proj_a", "name": "a", "created_at": _ago(40)}],
    "/v2/instance-types": [{"fid": "it_a", "name": "h100.8x", "num_gpus": 8}],
    "/v2/instances": {
        "data": [{"fid": FID, "project": "proj_a", "status": "STATUS_RUNNING", "name": "n", "bid": "bid_a", **_MADE}],
        "next_cursor": None,
    },
    f"/v2/instances/{FID}/status": {"fid": FID, "name": "n", "status": "STATUS_RUNNING"},
    "/v2/instances/status/history": {
        "instances": [{**_OWNED, "events": [{"timestamp": _ago(20), "status": "STATUS_RUNNING"}]}]
    },
    "/v2/instances/pricing/history": {
        "instances": [{**_OWNED, "events": [{"start_time": _ago(20), "end_time": None, "price_cents": 100}]}]
    },
    "/v2/reservation": {"data": [], "next_cursor": None},
    "/v2/spot/bids": {
        "data": [
            {"fid": "bid_a", "project": "proj_a", "name": "b", "instance_quantity": 1, "instances": [FID], **_MADE}
            | {"limit_price": "$9.00", "status": "Allocated"}
        ]
    },
    "/v2/pricing/history": [],
}


def telling(changed: Mapping[str, Any] | None = None) -> Callable[[Asked], Answer]:
    """The answers of that account, some of them another: an `Answer`, or its body."""
    told = {**TOLD, **(changed or {})}

    def answer(asked: Asked) -> Answer:
        if asked.path not in told:
            return Answer(404, {"detail": "Not Found"})
        said = told[asked.path]
        return said if isinstance(said, Answer) else Answer(body=said)

    return answer
