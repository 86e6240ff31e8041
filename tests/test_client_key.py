"""The key goes to the API and nowhere else, whatever the server does."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace

import pytest

from mithril_elt.client import Client
from mithril_elt.errors import ContractError, KeyRefusedError, MithrilError
from scripted import KEY, Answer, scripted
from session import ME, QUICK, get, get_projects, patch


@pytest.mark.shows(2)
def test_the_key_goes_in_the_header_and_to_no_other_host() -> None:
    """A redirect, even to another port of the same machine, is not followed."""
    with scripted(ME) as other, scripted(Answer(302, b"", {"Location": f"{other.url}/v2/me"})) as server:
        with pytest.raises(ContractError, match="redirect"):
            get(server)
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        assert other.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, {"detail": f"the key {KEY} is expired"}),
        Answer(403, {"detail": [{"loc": [KEY], "msg": KEY}]}),
        Answer(422, {"detail": {"key": KEY}}),
        Answer(503, {"detail": KEY}),
        Answer(302, b"", {"Location": f"/v2/{KEY}"}),
        Answer(body=KEY.encode()),
        Answer(body={KEY: 1}),
        Answer(body=b"<html>", headers={"Content-Type": f"text/{KEY}"}),
        Answer(how="raw", body=f"{KEY}\r\n\r\n".encode()),
        Answer(how="raw", body=f"HTTP/1.1 {KEY} no\r\n\r\n".encode()),
        Answer(how="reset", body={}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.shows(2)
def test_the_key_shows_nowhere(answer: Answer, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an error, its causes or the log, though the server repeats it."""
    ask = patch if method == "PATCH" else get_projects
    with caplog.at_level(logging.DEBUG), scripted(answer) as server, pytest.raises(MithrilError) as failed:
        ask(server, replace(QUICK, attempts=2))
    assert KEY not in "".join(traceback.format_exception(failed.value))
    assert KEY not in repr(failed.value)
    assert KEY not in str(failed.value.detail)
    assert KEY not in caplog.text


def test_the_key_is_not_in_the_sessions_repr() -> None:
    """A session that is printed or logged tells nothing."""
    assert KEY not in repr(Client(KEY))


@pytest.mark.parametrize("key", ["", " ", "fkey\n", "fkey_ä", "fkey_\x00", "two words"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(key: str) -> None:
    """It would break the header, or be sent as nobody meant; and it is not repeated."""
    with pytest.raises(KeyRefusedError, match="MITHRIL_API_KEY") as refused:
        Client(key)
    assert "fkey\n" not in str(refused.value)
    assert "ä" not in str(refused.value)
