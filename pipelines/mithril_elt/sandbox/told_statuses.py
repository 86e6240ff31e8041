"""The events that the status history tells of an instance: its changes, and what the readings add to them.

Stands between `tellings` and `chronicle` in the sandbox. Nothing that is added changes what truly
happened, but for the false events, as long as they are told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mithril_elt.sandbox.account import HOUR_US, MINUTE_US
from mithril_elt.sandbox.lifecycle import spells, stage
from mithril_elt.sandbox.lots import delay_us, one_in
from mithril_elt.sandbox.tellings import StatusEvent, StatusTelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mithril_elt.sandbox.account import Instance
    from mithril_elt.sandbox.tellings import Wording

__all__ = ["status_tellings"]

_FIRST = "STATUS_NEW"  # at any instant every other status holds against it
_FALSE = "STATUS_ERROR"
_FALSE_AFTER_US = MINUTE_US + 1_000_000
_LONG_US = 3 * MINUTE_US
_SAID_AGAIN_AFTER_US = 5 * MINUTE_US
_VERY_LONG_US = 10 * MINUTE_US


def status_tellings(instance: Instance, wording: Wording) -> list[StatusTelling]:
    """In order of time, and at one instant of the stages of life."""
    readings = wording.readings
    tellings = list(_changes(instance, wording))
    if readings.equal_times:
        tellings += _beside(instance, tellings, wording)
    if readings.repeated_statuses:
        tellings += _said_again(instance, wording)
    if readings.withdrawn_hours:
        tellings += _withdrawn(instance, wording)
    return sorted(tellings, key=lambda telling: (telling.at_us, stage(telling.event.status)))


def _changes(instance: Instance, wording: Wording) -> Iterator[StatusTelling]:
    most_us = wording.readings.late_hours * HOUR_US
    for change in instance.changes:
        late_us = delay_us(most_us, "status", instance.fid, change.at_us)
        event = StatusEvent(wording.instant(change.at_us), change.status)
        yield StatusTelling(change.at_us, event, change.at_us + late_us)


def _beside(instance: Instance, changes: list[StatusTelling], wording: Wording) -> Iterator[StatusTelling]:
    """NEW at the instant of every other change, told as long as that is; not where the story begins."""
    begins_us = min((change.at_us for change in changes), default=0)
    new_us = {change.at_us for change in changes if change.event.status == _FIRST}
    for at_us, known_us in {change.at_us: change.known_us for change in changes}.items():
        if at_us != begins_us and at_us not in new_us and one_in(2, "beside", instance.fid, at_us):
            yield StatusTelling(at_us, StatusEvent(wording.instant(at_us), _FIRST), known_us)


def _said_again(instance: Instance, wording: Wording) -> Iterator[StatusTelling]:
    for spell in spells(instance.changes):
        if spell.until_us - spell.from_us > _VERY_LONG_US:
            at_us = spell.from_us + _SAID_AGAIN_AFTER_US
            yield StatusTelling(at_us, StatusEvent(wording.instant(at_us), spell.status), at_us)


def _withdrawn(instance: Instance, wording: Wording) -> Iterator[StatusTelling]:
    """An error that never was, in one in eight spells that are long enough and are none themselves."""
    for spell in spells(instance.changes):
        is_long = spell.until_us - spell.from_us >= _LONG_US
        if is_long and spell.status != _FALSE and one_in(8, "false status", instance.fid, spell.from_us):
            at_us = spell.from_us + _FALSE_AFTER_US
            gone_us = at_us + wording.readings.withdrawn_hours * HOUR_US
            yield StatusTelling(at_us, StatusEvent(wording.instant(at_us), _FALSE), at_us, gone_us)
