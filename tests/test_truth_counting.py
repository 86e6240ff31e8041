"""The true figures of any short life against counting step by step."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from counted_steps import PHASE, Counted, Story, stories
from mithril_elt.sandbox.truth import PHASES
from truth_by_hand import make_truth


@settings(max_examples=400, deadline=None)
@given(stories())
def test_the_sweep_agrees_with_counting_every_step(story: Story) -> None:
    """Every figure of any short life is what one gets by asking, step by step, what holds there."""
    instance, reservation = story.parts()
    truth = make_truth(story.as_of * story.step_us, instance, reservation)
    one = truth.instances["inst_1"]
    counted = Counted(story)
    us = story.step_us

    assert one.phase_us == {
        phase: us * sum(PHASE.get(status or "") == phase for status in counted.status) for phase in PHASES
    }
    billed = [step for step in counted.steps if story.is_spot and counted.is_up(step)]
    prices = [cents for step in billed if (cents := counted.price_at(step)) is not None]
    assert (one.billed_us, one.unpriced_us) == (us * len(billed), us * (len(billed) - len(prices)))
    assert one.spot_cost_cent_us == us * sum(prices)

    used = [step for step in counted.steps if counted.is_reserved(step) and counted.is_up(step)]
    assert one.reserved_used_us == us * len(used)
    assert one.allocated_cost_cent_us == us * sum(counted.unit_at(step) for step in used)
    assert (one.credited_us, one.pause_credit_cent_us) == counted.earned(counted.paused(is_long=True))
    assert (one.short_paused_us, one.short_pause_loss_cent_us) == counted.earned(counted.paused(is_long=False))
    assert (one.unclaimed_us, one.unclaimed_credit_cent_us) == counted.earned(counted.unclaimed())
    assert {day: figures.up_us for day, figures in one.by_day.items() if figures.up_us} == counted.up_by_day()
    assert (one.interruptions, one.recoveries_us, one.starts_us) == counted.turns()


@settings(max_examples=200, deadline=None)
@given(stories())
def test_reservations_agree_with_counting_every_step(story: Story) -> None:
    """Reserved, used and committed time and cost of any reservation are the sums over its steps."""
    story = replace(story, is_spot=False)
    instance, reservation = story.parts()
    truth = make_truth(story.as_of * story.step_us, instance, reservation)
    counted = Counted(story)
    if not counted.is_placed():
        assert truth.reservations == {}
        return
    whole = truth.reservations["res_1"]
    us = story.step_us * story.quantity
    reserved = [step for step in counted.steps if counted.is_reserved(step)]
    assert whole.reserved_us == us * len(reserved)
    assert whole.used_us == truth.instances["inst_1"].reserved_used_us
    cost = us * sum(counted.unit_at(step) for step in reserved)
    assert whole.allocated_used_cent_us + whole.allocated_unused_cent_us == cost
    granted = range(story.start, counted.end)
    # Terms that change after as_of are not known yet: the newest known ones reach to the end.
    assert whole.committed_us == us * len(granted)
    assert whole.committed_cost_cent_us == us * sum(counted.unit_at(min(step, story.as_of)) for step in granted)
