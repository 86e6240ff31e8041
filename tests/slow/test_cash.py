"""Cost by cash and by accrual, held against the books of made-up accounts in which a month ends."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from worlds import Comparison

from loading import load_sandbox
from mithril_elt.reports import report
from mithril_elt.sandbox.account import Account
from mithril_elt.sandbox.audit import differences
from mithril_elt.sandbox.cash import CashMonth, cash_months
from mithril_elt.sandbox.fleet import make_account
from mithril_elt.sandbox.server import serve
from mithril_elt.sandbox.truth import true_figures

# Seeds, and what time it is: a month, a year and a short month have just ended.
ACCOUNTS = (
    (7, datetime(2026, 4, 3, 5, tzinfo=UTC)),
    (3, datetime(2027, 1, 4, tzinfo=UTC)),
    (11, datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)),
)
_USD = 360_000_000_000
_UNIT = Fraction(1, 10**12)


@pytest.fixture(scope="module", params=ACCOUNTS, ids=lambda each: f"{each[1]:%Y-%m}")
def books(
    request: pytest.FixtureRequest, comparison: Comparison, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Account]:
    """A database of an account, and the account."""
    seed, now = request.param
    account = make_account(seed=seed, instances=12, days=9, now=now)
    path = tmp_path_factory.mktemp("cash") / "a.duckdb"
    with serve(account) as sandbox:
        load_sandbox(sandbox, path)
    comparison.models.build(path)
    return path, account


@pytest.fixture
def copy(books: tuple[Path, Account], tmp_path: Path) -> tuple[Path, Account]:
    """The same, to be broken."""
    path = tmp_path / "copy.duckdb"
    path.write_bytes(books[0].read_bytes())
    return path, books[1]


def test_cash_and_accrual_are_those_of_the_books(books: tuple[Path, Account]) -> None:
    """By project and month the report's dollars are the books', to the twelfth place; and all else is as well."""
    db, account = books
    assert differences(db, account) == []
    true = cash_months(account, true_figures(account, account.now_us))
    assert len({month for _, month in true}) >= 2
    assert any(each.accrued_earlier_cent_us for each in true.values())
    answer = report(db, "cash", by=["project", "month"])
    found = {(row[0], f"{row[1]}-01"): dict(zip(answer.columns, row, strict=True)) for row in answer.rows}
    assert true.keys() <= found.keys()
    for key, row in found.items():
        month = true.get((str(key[0]), key[1]), CashMonth())
        accrued = month.accrued_now_cent_us + month.accrued_earlier_cent_us
        for column, cent_us in {
            "cash_cost_usd": month.spot_cost_cent_us + month.booked_cent_us,
            "accrued_cost_usd": month.spot_cost_cent_us + accrued,
            "booked_ahead_usd": month.booked_cent_us - accrued,
        }.items():
            # Two rounded figures are added: each is less than a unit away.
            assert abs(Fraction(row[column] or 0) - Fraction(cent_us, _USD)) < 2 * _UNIT, (key, column)


@pytest.mark.parametrize(
    ("broken", "of"),
    [
        ("update marts.fct_commitments set committed_cost_cent_us = committed_cost_cent_us + 1", "report cash"),
        ("update marts.fct_commitments set month = month + interval '1 month'", "report cash"),
        ("update marts.fct_reservation_hours set month = month - interval '1 month'", "report cash"),
        ("update marts.fct_cost_monthly set booked_cent_us = booked_cent_us + 1", "cash"),
        ("update marts.fct_cost_monthly set month = month + interval '1 month'", "cash"),
        ("update marts.fct_cost_monthly set accrued_now_cent_us = 0", "cash"),
        ("update marts.fct_cost_monthly set accrued_earlier_cent_us = 0", "cash"),
    ],
)
def test_the_comparison_of_cash_is_not_blind(copy: tuple[Path, Account], broken: str, of: str) -> None:
    """What is booked or accrued in another month, or is a cent-microsecond more, is found where it is told."""
    db, account = copy
    with duckdb.connect(str(db)) as connection:
        connection.execute(broken)
    found = {sentence.partition(" (")[0] for sentence in differences(db, account)}
    assert found & {"cash", "report cash"} == {of}
