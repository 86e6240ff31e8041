"""An answer as it was sent: without the key, refusals of the question included, everything else as usual."""

from __future__ import annotations

import pytest

from mithril_elt.api import Mithril
from mithril_elt.client import Answer as Told
from mithril_elt.errors import ContractError, KeyRefusedError, NotFoundError
from mithril_elt.wire import Refused
from scripted import KEY, Answer, scripted

WHEN = {"Date": "Tue, 31 Mar 2026 12:00:00 GMT"}


def ask(*answers: Answer) -> Told:
    """What a question is answered by such a server."""
    with scripted(*answers) as served, Mithril(KEY, served.url) as api:
        told = api.ask("/v2/instances", {"project": "proj_a"})
        assert served.asked[-1].query == {"project": "proj_a"}
    return told


def test_what_was_sent_comes_as_it_is() -> None:
    """Strings that look like times, nulls and unknown keys, with the server's clock."""
    told = ask(Answer(body={"at": "2026-03-31T00:00:00-00:00", "none": None}, headers=WHEN))
    assert (told.status, told.body) == (200, {"at": "2026-03-31T00:00:00-00:00", "none": None})
    assert told.server_at is not None
    assert told.server_at.isoformat() == "2026-03-31T12:00:00+00:00"


def test_the_key_is_taken_out() -> None:
    """Of an answer, of a refusal, of an error."""
    assert ask(Answer(body=[f"x{KEY}"])).body == ["x…"]
    assert ask(Answer(422, {"detail": f"no {KEY}"})).body == {"detail": "no …"}
    with pytest.raises(KeyRefusedError) as refused:
        ask(Answer(401, {"detail": f"no {KEY}"}))
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_question_is_an_answer(status: int) -> None:
    """With the API's own words."""
    assert ask(Answer(status, {"detail": "narrower, please"})) == Told(status, {"detail": "narrower, please"})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(404, {"detail": "no"}), NotFoundError),
        (Answer(405, {"detail": "no"}), Refused),
        (Answer(body=b"<html>"), ContractError),
        (Answer(body=b"\xff"), ContractError),
    ],
)
def test_anything_else_is_an_error(answer: Answer, kind: type[Exception]) -> None:
    """As everywhere else."""
    with pytest.raises(kind):
        ask(answer)


def test_what_fails_is_asked_again() -> None:
    """Within the limits of the session."""
    assert ask(Answer(503, {"detail": "later"}), Answer(body=[1])).body == [1]
