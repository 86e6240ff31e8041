"""What a reservation has granted by a given moment."""

from __future__ import annotations

from mithril_elt.sandbox.account import Reservation, Terms
from mithril_elt.sandbox.grants import Grant, ended_us, grants


def reservation(*terms: Terms, canceled_at_us: int | None = None) -> Reservation:
    """Two instances from 1,000 to 2,000, placed at 900."""
    return Reservation(
        "res_1", "r", "proj_1", "user_1", 900, 1_000, 2_000, "it_1", "us-east1-a", 2, [*terms],
        canceled_at_us=canceled_at_us,
    )  # fmt: skip


def test_grants_follow_the_terms_that_are_known() -> None:
    """A change of terms cuts the grant in force when it happens; before that, the grant reaches to the end."""
    order = reservation(Terms(900, 10, 3, 4), Terms(1_500, 11, None, 5))
    assert grants(order, 899) == []
    assert grants(order, 900) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_499) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_500) == [Grant(1_000, 1_500, 2, 10, 3, 4), Grant(1_500, 2_000, 2, 11, None, 5)]
    assert grants(order, 9_999) == grants(order, 1_500)


def test_grants_end_when_the_reservation_is_canceled() -> None:
    """From the moment it is canceled, nothing is granted past it, and terms that were to follow never are."""
    order = reservation(Terms(900, 10, 3, 4), Terms(1_500, 11, 3, 4), canceled_at_us=1_200)
    assert grants(order, 1_199) == [Grant(1_000, 2_000, 2, 10, 3, 4)]
    assert grants(order, 1_200) == [Grant(1_000, 1_200, 2, 10, 3, 4)]
    assert grants(order, 1_600) == [Grant(1_000, 1_200, 2, 10, 3, 4)]
    assert (ended_us(order, 1_199), ended_us(order, 1_200)) == (2_000, 1_200)


def test_terms_that_change_before_the_start_replace_the_first() -> None:
    """A change between placing and start leaves no empty grant behind."""
    order = reservation(Terms(900, 10, 3, 4), Terms(950, 12, 3, 4))
    assert grants(order, 1_600) == [Grant(1_000, 2_000, 2, 12, 3, 4)]
