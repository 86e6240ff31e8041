"""Forty faults on the wire: what each makes of a good answer, and how a load is to end where it passes or lasts.

Stands under `test_faults_on_the_wire`, on `between`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from between import AGAIN, Spoil, is_history
from scripted import Answer, Asked

__all__ = ["FAULTS", "Fault", "body"]


def status(code: int, detail: str = "busy", **headers: str) -> Spoil:
    """That answer in place of the good one."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Answer(code, {"detail": detail}, named)


def how(way: Any) -> Spoil:
    """The good answer, which goes wrong on its way."""
    return lambda _, answer: replace(answer, how=way)


def body(change: Callable[[bytes], bytes], **headers: str) -> Spoil:
    """The good answer with other bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, answer: replace(answer, body=change(answer.content), headers={**answer.headers, **named})


def dated(date: str) -> Spoil:
    """The good answer by another clock."""
    return lambda _, answer: replace(answer, headers={**answer.headers, "Date": date})


def page(change: Callable[[Asked, dict[str, Any]], object]) -> Spoil:
    """The good answer with its JSON changed in place."""

    def spoil(asked: Asked, answer: Answer) -> Answer:
        said = json.loads(answer.content)
        before = json.dumps(said)
        change(asked, said)
        return answer if json.dumps(said) == before else replace(answer, body=json.dumps(said).encode())

    return spoil


def events(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """The good answer with each of its events changed in place."""

    def change_all(_: Asked, said: dict[str, Any]) -> None:
        for instance in said["instances"]:
            for event in instance["events"]:
                change(event)

    return page(change_all)


def _same_cursor(asked: Asked, said: dict[str, Any]) -> None:
    said["next_cursor"] = asked.query["next_cursor"]


def _same_page(asked: Asked, said: dict[str, Any]) -> None:
    here = asked.query.get("next_cursor", "")
    if not here.startswith(AGAIN):
        said["next_cursor"] = AGAIN + here


def _rows_twice(_: Asked, said: dict[str, Any]) -> None:
    said["instances"] *= 2


def _renamed(_: Asked, said: dict[str, Any]) -> None:
    said["items"] = said.pop("instances")


def _new_beside(_: Asked, said: dict[str, Any]) -> None:
    said["total"] = len(said["instances"])


def _as_text(event: dict[str, Any]) -> None:
    if "price_cents" in event:
        event["price_cents"] = str(event["price_cents"])


def _without_its_time(event: dict[str, Any]) -> None:
    event.pop("timestamp", None)
    event.pop("start_time", None)


def _with_news(event: dict[str, Any]) -> None:
    event["weather"] = "fair"


def _is_later_page(asked: Asked) -> bool:
    return is_history(asked) and "next_cursor" in asked.query


@dataclass(frozen=True)
class Fault:
    """What goes wrong; the exit status where it passes (`once`) and where it lasts, and what is said then."""

    spoil: Spoil
    for_ever: int
    says: str = ""
    once: int = 0
    strikes: int = 2
    concerns: Callable[[Asked], bool] = is_history
    spare: int = 1  # of the second windows


FAULTS: dict[str, Fault] = {
    "429 with Retry-After in seconds": Fault(status(429, Retry_After="1"), 5, "asked to slow down (429), 4 times"),
    "429 with Retry-After as a date": Fault(
        status(429, Date="Wed, 21 Oct 2026 07:28:00 GMT", Retry_After="Wed, 21 Oct 2026 07:28:01 GMT"), 5, "(429)"
    ),
    "429 with an absurd Retry-After": Fault(
        status(429, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), 5, "a wait longer than", once=5
    ),
    "429 without Retry-After": Fault(status(429), 5, "(429), 4 times (the API says: busy)"),
    "500": Fault(status(500), 5, "failed (500), 4 times (the API says: busy)"),
    "502": Fault(status(502), 5, "failed (502), 4 times"),
    "503": Fault(status(503), 5, "failed (503), 4 times"),
    "503 in HTML": Fault(lambda _, __: Answer(503, b"<html>", {"Content-Type": "text/html"}), 5, "(503), 4 times"),
    "504": Fault(status(504), 5, "failed (504), 4 times"),
    "no answer in time": Fault(how("stall"), 5, "got no whole answer"),
    "no end of an answer in time": Fault(how("stall_within"), 5, "got no whole answer"),
    "an answer that drips": Fault(how("drip"), 5, "no answer in time", strikes=1),
    "reset before the answer": Fault(how("reset"), 5, "got no whole answer"),
    "reset within the answer": Fault(how("reset_within"), 5, "got no whole answer"),
    "an answer that is cut off": Fault(how("cut"), 5, "got no whole answer"),
    "something else than HTTP": Fault(lambda _, __: Answer(body=b"SSH-2.0\r\n\r\n", how="raw"), 5, "no whole answer"),
    "cut JSON": Fault(body(lambda good: good[: len(good) // 2]), 6, "not JSON"),
    "HTML with 200": Fault(body(lambda _: b"<html>", Content_Type="text/html"), 6, "answered text/html, not JSON"),
    "HTML that calls itself JSON": Fault(body(lambda _: b"<html>"), 6, "not JSON ('<html>' …), 3 times"),
    "a wrong content type": Fault(body(bytes, Content_Type="text/plain"), 6, "answered text/plain"),
    "an empty body": Fault(body(lambda _: b""), 6, "answered with nothing in it"),
    "204": Fault(lambda _, __: Answer(204, b""), 6, "answered with nothing in it"),
    "gzip": Fault(body(gzip.compress, Content_Encoding="gzip"), 0),
    "broken gzip": Fault(body(lambda good: b"\x1f\x8b" + good, Content_Encoding="gzip"), 5, "got no whole answer"),
    "cut gzip": Fault(body(lambda good: gzip.compress(good)[:-30], Content_Encoding="gzip"), 6, "not JSON"),
    "a huge body": Fault(body(lambda good: good + b" " * 3 * 2**20), 6, "more than 2 MiB", once=6),
    "a redirect": Fault(lambda _, __: Answer(302, b"", {"Location": "/v2/elsewhere"}), 6, "redirect", once=6),
    "a key that is revoked": Fault(status(401, "The API key has expired"), 3, "API key has expired", once=3),
    "a clock a day ahead": Fault(dated("Wed, 01 Apr 2026 00:00:00 GMT"), 0),
    "a clock years behind": Fault(dated("Thu, 01 Jan 1970 00:00:00 GMT"), 0),
    "a clock that is none": Fault(dated("soon"), 0),
    "a cursor that is repeated": Fault(
        page(_same_cursor), 6, "same next_cursor twice", once=6, concerns=_is_later_page, spare=0
    ),
    "a cursor that has expired": Fault(
        status(400, "Cursor expired"), 6, "refuses the cursor", concerns=_is_later_page, spare=0, strikes=1
    ),
    "a page that comes twice": Fault(page(_same_page), 0),
    "rows that come twice": Fault(page(_rows_twice), 0),
    "a renamed envelope": Fault(page(_renamed), 6, "an object of items, next_cursor", once=6),
    "a number that turned to text": Fault(events(_as_text), 6, "price_cents", once=6),
    "a missing field": Fault(events(_without_its_time), 6, "missing required field", once=6),
    "a new field": Fault(events(_with_news), 0),
    "a new field beside the rows": Fault(page(_new_beside), 0),
}
