"""Arrow tables as pandas DataFrames that lose nothing: what reports and SQL give to notebooks.

Stands on the marts' types alone, beside `reports`, under `opened`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame", "table_of_rows"]

_UTC = pa.timestamp("us", tz="UTC")
_NUMERIC = 1700
# What PostgreSQL calls its types, by the numbers that its driver gives them; any other is what its values are.
_OF_NUMBERS = {
    **dict.fromkeys((20, 21, 23), pa.int64()),
    **dict.fromkeys((25, 1042, 1043), pa.string()),
    **dict.fromkeys((700, 701), pa.float64()),
    16: pa.bool_(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: _UTC,
}


def frame(table: pa.Table, *, exact: bool = True) -> pd.DataFrame:
    """The same rows as a DataFrame, in types that people can work with.

    Decimals are Python's `Decimal`, with which any sum, difference, product or quotient comes out; Arrow's own have
    38 digits, so that it refuses to subtract or to divide two of the marts' columns. `exact=False` gives float64, which
    is what charts and statistics want. Timestamps are instants in UTC, dates are `datetime64`, whole numbers and
    truth values are nullable (`Int64`, `boolean`). Of two columns of one name the second gets a number.
    """
    import pandas as pd  # noqa: PLC0415  # a second

    columns = [_column(column, exact=exact) for column in table.columns]
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    made = pa.table(columns, names=_apart(table.column_names))
    found: pd.DataFrame = made.to_pandas(types_mapper=nullable.get, date_as_object=False)
    return found


def _apart(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number: pandas would lose the first."""
    given: list[str] = []
    for name in names:
        number = next(n for n in count() if (f"{name}_{n}" if n else name) not in given)
        given.append(f"{name}_{number}" if number else name)
    return given


def _column(column: pa.ChunkedArray, *, exact: bool) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return pc.cast(column, _UTC)
    if pa.types.is_integer(kind):
        return _whole(column)
    if pa.types.is_decimal(kind):
        if not exact:
            return pc.cast(column, pa.float64())
        return _whole(column) if kind.scale == 0 else column
    return column


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As 64-bit integers, if they fit: sums of microseconds do, those of cent-microseconds may stay decimals."""
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return column


def table_of_rows(rows: Sequence[Sequence[Any]], description: Sequence[Any]) -> pa.Table:
    """Rows of a server's driver as a table; `description` has of each column its name and the number of its type."""
    columns = list(zip(*rows, strict=True)) or [()] * len(description)
    arrays = [_array(column, number) for column, (_, number, *_) in zip(columns, description, strict=True)]
    return pa.table(arrays, names=[name for name, *_ in description])


def _array(values: Sequence[Any], number: int) -> pa.Array:
    if number == _NUMERIC:  # of it the driver makes whole numbers where it can
        return pa.array([None if value is None else Decimal(value) for value in values])
    return pa.array(values, _OF_NUMBERS.get(number))
