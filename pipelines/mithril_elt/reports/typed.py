"""A report as an Arrow table, each column in the type of its figure: exact decimals, instants in UTC, dates, counts.

Part of the last step of the flow, beside `render`: what DataFrames and files of columns are made of.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mithril_elt.reports.catalog import DEFINITIONS
from mithril_elt.reports.compose import Report
from mithril_elt.reports.figures import Cell

__all__ = ["AMOUNT", "INSTANT", "typed"]

AMOUNT = pa.decimal128(38, 12)
INSTANT = pa.timestamp("us", tz="UTC")
_OF_UNITS = {"count": pa.int64(), "instant": INSTANT, "text": pa.string()}
_OF_COLUMNS = {"hour": INSTANT, "day": pa.date32(), "month": pa.date32(), "agrees": pa.bool_(), "is_over": pa.bool_()}


def typed(report: Report) -> pa.Table:
    """A row a row of the report. Amounts and hours are decimals of 12 places, whatever is not known is null.

    `hour` and other instants are timestamps in UTC; `day` is a date, `month` its first day, both of the zone of the
    models. The summary, whose rows have different units, has numbers in `value` and instants in `value_at`.
    """
    if report.name == "summary":
        return _summary(report)
    units = {figure.name: figure.unit.name for figure in DEFINITIONS[report.name].figures}
    types = {name: _type(name, units.get(name)) for name in report.columns}
    cells = list(zip(*report.rows, strict=True)) or [()] * len(types)
    columns = [
        pa.array([_value(cell, kind) for cell in column], kind)
        for column, kind in zip(cells, types.values(), strict=True)
    ]
    return pa.table(columns, names=list(types))


def _type(name: str, unit: str | None) -> pa.DataType:
    """By its name, by the unit of its figure, or, as it has none, the id of a group."""
    return _OF_COLUMNS.get(name) or (pa.string() if unit is None else _OF_UNITS.get(unit, AMOUNT))


def _value(cell: Cell, kind: pa.DataType) -> Any:
    if cell is None or not isinstance(cell, str) or kind == pa.string():
        return cell
    if kind == INSTANT:
        return _instant(cell)
    return date.fromisoformat(cell if len(cell) > len("2026-03") else f"{cell}-01")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _summary(report: Report) -> pa.Table:
    metrics, values, units = zip(*report.rows, strict=True) if report.rows else ((), (), ())
    return pa.table(
        {
            "metric": pa.array(metrics, pa.string()),
            "value": pa.array([None if isinstance(value, str) else _decimal(value) for value in values], AMOUNT),
            "value_at": pa.array([_instant(value) if isinstance(value, str) else None for value in values], INSTANT),
            "unit": pa.array(units, pa.string()),
        }
    )


def _decimal(value: Decimal | int | None) -> Decimal | None:
    return Decimal(value) if isinstance(value, int) else value
