"""A message to a webhook when something is wrong: once, as Slack takes it, without secrets; it changes nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import Cli, Ended
from mithril_elt.cli.alerts import Alarm
from mithril_elt.errors import ApiError, UsageError
from mithril_elt.webhook import check_webhook, post, tokens_of
from scripted import KEY, Answer, Scripted, scripted
from told_account import telling

TOKEN = "canary0123456789abcdefghij"  # noqa: S105  # of a webhook that is none
PATH = f"/services/T0001/B0001/{TOKEN}"
TAKEN = Answer(200, b"ok", {"Content-Type": "text/html"})
SAYS_IT = Answer(422, {"detail": f"no <!channel> & no {KEY}"})


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A webhook that takes all, its address in the environment."""
    with scripted(TAKEN) as served:
        monkeypatch.setenv("MITHRIL_WEBHOOK_URL", served.url + PATH)
        yield served


def failing(cli: Cli, monkeypatch: pytest.MonkeyPatch, *options: str) -> Ended:
    """A load that the API refuses, with words of its own."""
    with scripted(telling({"/v2/instances": SAYS_IT})) as api:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        monkeypatch.setenv("MITHRIL_API_URL", api.url)
        return cli("extract", "--db", "m.duckdb", "--debug", *options)


def test_a_failure_is_told_once(cli: Cli, hook: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence for people, its facts for machines; nobody is called by the API's words, and no secret is told."""
    ended = failing(cli, monkeypatch, "--json")
    assert ended.status == 2
    [asked] = hook.asked
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", PATH, "application/json")
    body = json.loads(asked.body)
    assert body.keys() == {"text", "status", "exit_status", "sentence", "run_id", "figures"}
    assert (body["status"], body["exit_status"]) == ("failed", 2)
    facts = json.loads(ended.out)
    assert (body["sentence"], body["run_id"]) == (facts["error"], facts["run_id"])
    assert body["figures"]["requests"] == facts["requests"] > 0
    assert body["text"].startswith("mithril-elt extract: ")
    assert "no &lt;!channel&gt; &amp; no …" in body["text"]
    for secret in (KEY, TOKEN, PATH):
        assert secret not in asked.body.decode() + ended.out + ended.err
    assert [file for file in Path().rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()] == []


def test_nothing_is_sent_unless_it_is_set(cli: Cli, hook: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where all is well, where another run has the lock, or where somebody stopped it."""
    with scripted(telling()) as api:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        assert cli("extract", "--db", "m.duckdb", "--api-url", api.url).status == 0
    monkeypatch.delenv("MITHRIL_WEBHOOK_URL")
    assert failing(cli, monkeypatch).status == 2
    assert hook.asked == []


def test_dlts_configuration_has_it_too(cli: Cli, hook: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """`webhook_url` of `[sources.mithril]`; the environment counts first."""
    monkeypatch.delenv("MITHRIL_WEBHOOK_URL")
    monkeypatch.setenv("SOURCES__MITHRIL__WEBHOOK_URL", hook.url + PATH)
    assert failing(cli, monkeypatch).status == 2
    assert len(hook.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, {"detail": PATH}), "answered 500"),
        (Answer(404, b"no_service"), "answered 404"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "answered 302"),
        (Answer(how="reset", body=b""), "could not be reached"),
        (Answer(how="stall", body=b""), "could not be reached (TimeoutError)"),
        (Answer(how="raw", body=b"hello"), "could not be reached"),
    ],
)
def test_a_webhook_that_fails_is_said_and_changes_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, answer: Answer, words: str
) -> None:
    """The run's own exit status and its last line stay; one warning, without the address; it is not asked again."""
    monkeypatch.setattr("mithril_elt.webhook._WAIT_S", 0.5)
    with scripted(answer) as hook:
        monkeypatch.setenv("MITHRIL_WEBHOOK_URL", hook.url + PATH)
        ended = failing(cli, monkeypatch)
        assert len(hook.asked) == 1
    assert ended.status == 2
    [warning] = [line for line in ended.err.splitlines() if line.startswith("Warning: nobody was told of it")]
    assert words in warning
    assert ended.err.splitlines()[-1].startswith("Error: ")
    assert TOKEN not in ended.err


@pytest.mark.parametrize(
    "address", ["http://hooks.example/services/x", "ftp://localhost/x", "nowhere", "https://", "http://["]
)
def test_an_address_that_others_could_read_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Before anything is asked, with a warning that does not repeat it; the run goes on."""
    monkeypatch.setenv("MITHRIL_WEBHOOK_URL", address)
    with pytest.raises(UsageError, match="MITHRIL_WEBHOOK_URL"):
        check_webhook(address)
    with pytest.raises(UsageError):
        post(address, b"{}")
    ended = failing(cli, monkeypatch)
    assert ended.status == 2
    assert ended.err.startswith("Warning: MITHRIL_WEBHOOK_URL is no https address")
    check_webhook("https://hooks.example/services/x?code=y")
    check_webhook("http://127.0.0.1:1/x")


def test_no_log_has_the_address(hook: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """Of whichever library, at whichever level."""
    with caplog.at_level(logging.DEBUG):
        post(hook.url + PATH, b"{}")
        hook.url = "http://127.0.0.1:9"
        with pytest.raises(ApiError):
            post(hook.url + PATH, b"{}")
    assert TOKEN not in caplog.text


def test_what_of_an_address_is_secret() -> None:
    """All of it, and each part that is long enough for a token; a short word in it may be said."""
    found = tokens_of(f"https://a:{TOKEN[::-1]}@hooks.example/api/{TOKEN}/slack?sig={TOKEN}")
    assert {TOKEN, TOKEN[::-1], f"sig={TOKEN}"} < set(found)
    assert "slack" not in found


def run_facts(**facts: Any) -> dict[str, Any]:
    """What a run sums up."""
    return {"outcome": "done", "error": None, "exit_status": 0, "run_id": "r1", "rows": 5, "stages_ms": {}} | facts


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (run_facts(), None),
        (run_facts(outcome="failed", error="e", exit_status=5), "failed"),
        (run_facts(outcome="failed", error="e", exit_status=2), "failed"),
        (run_facts(outcome="failed", error="e", exit_status=7), "data_test_failed"),
        (run_facts(outcome="failed", error="e", exit_status=8), None),
        (run_facts(outcome="failed", error="e", exit_status=130), None),
        (run_facts(figures={"unpriced_hours": "2.000000000000", "unpriced_hours_before": None}), "unpriced_hours"),
        (run_facts(figures={"unpriced_hours": "2.5", "unpriced_hours_before": "2"}), "unpriced_hours"),
        (run_facts(figures={"unpriced_hours": "2", "unpriced_hours_before": "2"}), None),
        (run_facts(figures={"unpriced_hours": "0.000000000000", "unpriced_hours_before": None}), None),
    ],
)
def test_what_is_an_alarm(facts: dict[str, Any], status: str | None) -> None:
    """A failure, but not that a run goes on or was stopped; hours without a price that are new."""
    alarm = Alarm.of_run(facts)
    assert (alarm and alarm["status"]) == status
    assert alarm is None or (alarm["run_id"], alarm["figures"]["rows"]) == ("r1", 5)


def test_unpriced_hours_are_told_with_how_many_are_new() -> None:
    """To two places; both are exact among the figures."""
    alarm = Alarm.of_run(run_facts(figures={"unpriced_hours": "1234.500000000000", "unpriced_hours_before": "1000"}))
    assert alarm is not None
    assert "234.50 h more" in alarm["sentence"]
    assert "1,234.50 h in all" in alarm["sentence"]
    assert alarm["figures"]["unpriced_hours"] == "1234.500000000000"


def test_staleness_is_told_where_it_is_asked_for(cli: Cli, hook: Scripted) -> None:
    """By `status --check --alert`; without the second a monitor tells itself."""
    assert cli("status", "--db", "none.duckdb", "--check").status == 7
    assert hook.asked == []
    assert cli("status", "--db", "none.duckdb", "--check", "--alert").status == 7
    [asked] = hook.asked
    body = json.loads(asked.body)
    assert (body["status"], body["exit_status"], body["figures"]["max_age_seconds"]) == ("no_run", 7, 93_600)
    assert body["text"].startswith("mithril-elt status: there was no run")
