"""How the tests of the readings ask: page by page as any client must, whatever the readings are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from mithril_elt.sandbox.server import Sandbox
from sandbox_by_hand import NOW

STATUS = "/v2/instances/status/history"
PRICING = "/v2/instances/pricing/history"
Row = dict[str, Any]


@dataclass
class Api:
    """A sandbox under some readings, asked about `proj_a`."""

    sandbox: Sandbox
    client: httpx.Client

    def get(self, path: str, **params: Any) -> httpx.Response:
        """One answer."""
        headers = {"Authorization": f"Bearer {self.sandbox.key}"}
        return self.client.get(self.sandbox.url + path, params={"project": "proj_a"} | params, headers=headers)

    def json(self, path: str, **params: Any) -> Any:
        """What one answer says."""
        return self.get(path, **params).raise_for_status().json()

    def at(self, hours: float, *, more_us: int = 0) -> Api:
        """With the clock set to that many hours from NOW, and so many microseconds more."""
        self.sandbox.clock.set(NOW + timedelta(hours=hours, microseconds=more_us))
        return self

    def pages(self, path: str, **params: Any) -> list[list[Row]]:
        """The rows of every page. A cursor that is refused is used again once, and none or null is the end."""
        pages: list[list[Row]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self.get(path, **params, **cursor)
            if answer.status_code == 400 and answer.json() == {"detail": "Cursor expired"}:
                answer = self.get(path, **params, **cursor)
            body = answer.raise_for_status().json()
            pages.append(body["instances" if path in {STATUS, PRICING} else "data"])
            if body.get("next_cursor") is None:
                return pages
            cursor = {"next_cursor": body["next_cursor"]}

    def told(self, path: str, **params: Any) -> dict[str, list[tuple[str, Any]]]:
        """The events by instance, as (time, bare status) or (start, price); of all pages together."""
        told: dict[str, list[tuple[str, Any]]] = {}
        for row in (row for page in self.pages(path, **params) for row in page):
            told.setdefault(name(row), []).extend(brief(event) for event in row["events"])
        return told

    def periods(self, **params: Any) -> dict[str, list[tuple[str, str | None, int]]]:
        """The price periods by instance, as (start, end, price)."""
        rows = [row for page in self.pages(PRICING, **params) for row in page]
        return {
            name(row): [(each["start_time"], each.get("end_time"), each["price_cents"]) for each in row["events"]]
            for row in rows
        }


def name(row: Row) -> str:
    """The instance of a row of a history, without its prefix."""
    return str(row["instance_fid"].removeprefix("inst_"))


def brief(event: Row) -> tuple[str, Any]:
    """An event as (time, bare status), or as (start, price)."""
    if "status" in event:
        return event["timestamp"], event["status"].removeprefix("STATUS_")
    return event["start_time"], event["price_cents"]
