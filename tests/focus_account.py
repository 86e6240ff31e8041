"""A small account with one of each kind of charge, and its figures worked by hand; its marts in a file.

Hours are counted from 22:00 on March 30, 2026; as_of is ten hours later, 08:00 on March 31.

inst_spot (spot, 8 GPUs): up from 23:00 to 00:30; 45 min at 1,300 c, 15 min at 1,301 c, 30 min without a price.
inst_odd (spot, of a type that nobody told): up from 22:00 to 22:30 at 200 c.
res_a (two instances at 250 c from 22:00 to 06:00, 100 c for a paused hour, 300 c for a returned one): inst_used is up
for two hours, paused for two, up for one, and given back three hours before the end; nothing uses the second instance.
res_b (one instance at 200 c from 07:00 to 10:00, no rates): inst_unrated is paused from 07:00 on.
res_c (one instance at 150 c from 03:00 to 09:00) is cancelled at 05:00; nothing uses it.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb

from minute_by_minute import Grant, Machine, Order, Story
from sql_project import Compiled, empty_raw
from story_in_raw import tell

__all__ = ["BILLED_USD", "EFFECTIVE_USD", "ROWS", "STORY", "focus_account", "focus_file"]

STORY = Story(
    machines=(
        Machine(
            "inst_spot",
            "bid_a",
            None,
            8,
            ((60, "RUNNING"), (150, "PREEMPTED")),
            ((60, 105, 1300), (105, 120, 1301)),
        ),
        Machine("inst_odd", "bid_b", None, None, ((0, "RUNNING"), (30, "TERMINATED")), ((0, 30, 200),)),
        Machine(
            "inst_used",
            None,
            "res_a",
            8,
            ((0, "RUNNING"), (120, "PAUSED"), (240, "RUNNING"), (300, "TERMINATED")),
            (),
        ),
        Machine("inst_unrated", None, "res_b", 8, ((540, "PAUSED"),), ()),
    ),
    orders=(
        Order("res_a", 0, 480, (Grant(0, 480, 2, 250),), ((0, 100),)),
        Order("res_b", 540, 720, (Grant(540, 720, 1, 200),), ()),
        Order("res_c", 300, 660, (Grant(300, 660, 1, 150),), (), cut=420),
    ),
    as_of=600,
)

# Of each kind the rows, and the dollars billed and effective:
ROWS = {
    "spot_usage": (2, "14.0025", "14.0025"),  # 13.00 x 0.75 + 13.01 x 0.25 = 13.0025; 2.00 x 0.5 = 1.00
    "reservation_purchase": (3, "55", "0"),  # 2 x 8 x 2.50 = 40; 3 x 2.00 = 6; 6 x 1.50 = 9
    "reserved_used": (3, "0", "7.5"),  # 22:00, 23:00 and 02:00, each 2.50
    "reserved_idle": (11, "0", "30"),  # res_a 1+1+2+2+1+1+1+1 hours x 2.50 = 25; res_b 1 x 2.00; res_c 2 x 1.50
    "pause_credit": (2, "-2", "-2"),  # 00:00 and 01:00, each 1.00
    "return_writeoff": (1, "0", "7.5"),  # 3 hours x 2.50
    "return_credit": (1, "-9", "-9"),  # 3 hours x 3.00
    "cut_writeoff": (1, "0", "6"),  # 05:00 to 09:00: 4 hours x 1.50
}
BILLED_USD = Decimal("58.0025")  # 14.0025 + 55 - 2 - 9
EFFECTIVE_USD = Decimal("54.0025")  # 14.0025 + 7.5 + 30 + 7.5 + 6 - 2 - 9; res_b has 2 of its 6 dollars still to come


def focus_account(project: Compiled, connection: duckdb.DuckDBPyConnection) -> None:
    """Tells the account in the raw tables of a connection, and makes every model of it."""
    empty_raw(connection)
    tell(connection, STORY)
    connection.execute(
        "update raw.reservations set instance_type = 'it_8', region = 'us-east1-a', name = 'the \"first\", =1+1',"
        " status = case fid when 'res_c' then 'Canceled' else 'Active' end"
    )
    connection.execute(
        "update raw.instances set region = 'us-east1-a', name = '=machine ' || fid, created_by = 'user_u'"
    )
    connection.execute("update raw.reservation_events set return_credit_cents = 300 where reservation_fid = 'res_a'")
    connection.execute(
        "insert into raw.market_prices by name select 'it_8' as instance_type, 'us-east1-a' as region,"
        " timestamp '2026-03-30 22:30' as timestamp, 20.5 as reserved_price_usd,"
        " timestamp '2026-03-31 09:00' as read_at, '1' as _dlt_load_id"
    )
    project.build(connection)


def focus_file(project: Compiled, file: Path) -> Path:
    """The same in a new DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        focus_account(project, connection)
    return file
