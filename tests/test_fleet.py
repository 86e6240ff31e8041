"""The made-up account: reproducible, as large as asked for, fast, and whole in what it refers to."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from account_stories import DAY_US, SIZES
from mithril_elt.errors import UsageError
from mithril_elt.sandbox.account import Account, Bid, Reservation
from mithril_elt.sandbox.fleet import make_account

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "seed {} {}x{}".format(*size))
def account(request: pytest.FixtureRequest) -> Account:
    """Accounts of several sizes, the default one among them."""
    return make_account(*request.param)


def digest(account: Account) -> str:
    return hashlib.sha256(repr(account).encode()).hexdigest()


def test_the_same_arguments_give_an_equal_account() -> None:
    """Twice the same arguments, also in another process with another hash seed: the same account, byte for byte."""
    program = (
        "import hashlib; from mithril_elt.sandbox.fleet import make_account; "
        "print(hashlib.sha256(repr(make_account()).encode()).hexdigest())"
    )
    environment = {"PYTHONHASHSEED": "4"}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert make_account() == make_account()
    assert other.stdout.strip() == digest(make_account())


def test_another_seed_gives_another_account() -> None:
    """A seed decides ids, prices and stories."""
    one, two = make_account(7), make_account(8)
    assert not {each.fid for each in one.instances} & {each.fid for each in two.instances}
    assert one.markets[0].spot_price_cents != two.markets[0].spot_price_cents
    assert one.instances[20].changes != two.instances[20].changes


def test_has_the_size_and_the_time_that_were_asked_for(account: Account) -> None:
    """As many instances as asked for; the story begins `days` before now and ends three days after."""
    size = (account.seed, len(account.instances), (account.now_us - account.start_us) // DAY_US)
    assert size in SIZES
    assert account.now_us == 1_774_915_200_000_000  # 2026-03-31T00:00:00Z
    instants = [change.at_us for each in account.instances for change in each.changes]
    assert min(instants) >= account.start_us
    assert account.now_us < max(instants) < account.now_us + 3 * DAY_US


def test_now_may_be_any_instant_of_any_zone() -> None:
    """`now` is taken to the microsecond and in its own zone."""
    account = make_account(now=datetime(2026, 1, 1, 2, 0, 0, 123_457, tzinfo=timezone(timedelta(hours=2))), tail_days=1)
    assert account.now_us == 1_767_225_600_123_457
    assert max(change.at_us for each in account.instances for change in each.changes) < account.now_us + DAY_US


@pytest.mark.parametrize("size", [{"instances": 11}, {"days": 6}, {"tail_days": 0}])
def test_refuses_sizes_without_room_for_the_special_cases(size: dict[str, int]) -> None:
    """An account too small for the twelve scripted instances is a usage error that says what is needed."""
    with pytest.raises(UsageError, match="at least 12 instances and 7 days"):
        make_account(**size)  # type: ignore[arg-type]  # mypy cannot see that `now` is not among the keys


def test_refuses_a_clock_without_a_zone() -> None:
    """A naive `now` is a usage error."""
    with pytest.raises(UsageError, match="needs a time zone"):
        make_account(now=datetime(2026, 3, 31))  # noqa: DTZ001 # the naive time is the case


def test_large_accounts_are_fast() -> None:
    """1,000 instances over 90 days take less than the five seconds that were promised."""
    begun = time.perf_counter()
    account = make_account(instances=1_000, days=90)
    assert time.perf_counter() - begun < 5
    assert sum(len(each.prices) for each in account.instances) > 100_000
    assert sum(len(each.changes) for each in account.instances) > 10_000


def test_the_default_account_is_of_the_documented_time() -> None:
    """Without arguments: 40 instances, 30 days to the end of March 2026."""
    account = make_account()
    assert len(account.instances) == 40
    assert account.start_us == int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000


def test_ids_are_unique_and_well_formed(account: Account) -> None:
    """Every id is a prefix and 16 letters or digits, and names one thing."""
    named: dict[str, Sequence[Any]] = {
        "proj": account.projects,
        "it": account.instance_types,
        "bid": account.bids,
        "res": account.reservations,
        "inst": account.instances,
    }
    fids = [each.fid for kind in named.values() for each in kind]
    assert len(set(fids)) == len(fids)
    for prefix, kind in named.items():
        assert all(re.fullmatch(prefix + "_[A-Za-z0-9]{16}", each.fid) for each in kind)


def test_every_reference_leads_somewhere(account: Account) -> None:
    """Orders and instances name projects, types, bids and reservations of the account, and agree with their order."""
    projects = {each.fid for each in account.projects}
    types = {each.fid for each in account.instance_types}
    bids = {each.fid: each for each in account.bids}
    reservations = {each.fid: each for each in account.reservations}
    for each in account.instances:
        order: Bid | Reservation = bids[each.bid] if each.bid else reservations[each.reservation or ""]
        assert (each.bid is None) != (each.reservation is None)
        assert (each.project, each.created_by) == (order.project, order.created_by)
        assert each.instance_type == order.instance_type
        assert each.region is None or each.region == order.region
        assert each.project in projects
        assert each.instance_type in types


def test_most_instants_are_whole_seconds_and_some_have_microseconds() -> None:
    """Timestamps come in the three grains that the API shows."""
    instants = [change.at_us for each in make_account(instances=300, days=60).instances for change in each.changes]
    seconds = sum(at_us % 1_000_000 == 0 for at_us in instants)
    micros = sum(at_us % 1_000 != 0 for at_us in instants)
    assert seconds > len(instants) // 2
    assert len(instants) // 100 < micros < len(instants) // 4
