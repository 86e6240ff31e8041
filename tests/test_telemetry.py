"""A run as OpenTelemetry's collector gets it, and as node_exporter reads it; off unless asked for, without the key."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from commands import Cli, Ended
from mithril_elt.limits import Limits
from scripted import KEY, Answer, Scripted, scripted
from told_account import telling

TAKEN = Answer(200, b"", {"Content-Type": "application/x-protobuf"})


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A collector that takes all, named by the standard variable."""
    with scripted(TAKEN) as served:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", served.url)
        yield served


def loaded(cli: Cli, monkeypatch: pytest.MonkeyPatch, *options: str, **changed: Any) -> Ended:
    """A load of the account that is told word by word."""
    with scripted(telling(changed)) as api:
        monkeypatch.setenv("MITHRIL_API_KEY", KEY)
        monkeypatch.setenv("MITHRIL_API_URL", api.url)
        return cli("extract", "--db", "m.duckdb", "--json", *options)


def refused(cli: Cli) -> Ended:
    """The shortest of all runs: one that has no key."""
    return cli("extract", "--db", "m.duckdb", "--json")


def value_of(value: Any) -> Any:
    """An attribute's value as Python has it."""
    kind = value.WhichOneof("value")
    return [value_of(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)


def attributes(of: Any) -> dict[str, Any]:
    """The attributes of a span, an event, a sample or a resource."""
    return {each.key: value_of(each.value) for each in of.attributes}


def spans_at(collector: Scripted) -> list[Any]:
    """All spans that came."""
    found = []
    for asked in collector.asked:
        if asked.path == "/v1/traces":
            told = ExportTraceServiceRequest.FromString(asked.body)
            found += [span for of in told.resource_spans for scope in of.scope_spans for span in scope.spans]
    return found


def samples_at(collector: Scripted) -> dict[str, tuple[Any, str]]:
    """The numbers that came, each with its unit."""
    found = {}
    for asked in collector.asked:
        if asked.path == "/v1/metrics":
            told = ExportMetricsServiceRequest.FromString(asked.body)
            for metric in (one for of in told.resource_metrics for scope in of.scope_metrics for one in scope.metrics):
                [sample] = metric.gauge.data_points
                found[metric.name] = (getattr(sample, sample.WhichOneof("value")), metric.unit)
                assert attributes(sample) == {"command": "extract"}
    return found


def test_a_run_is_a_trace_and_numbers(cli: Cli, collector: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run, the extract in it, in that what was read and loaded and each window, as in the log; and its sums."""
    ended = loaded(cli, monkeypatch)
    facts, spans = json.loads(ended.out), spans_at(collector)
    [run] = [span for span in spans if not span.parent_span_id]
    [extract] = [span for span in spans if span.parent_span_id == run.span_id]
    inside = [span for span in spans if span.parent_span_id == extract.span_id]
    assert len(inside) == len(spans) - 2
    assert {span.trace_id for span in spans} == {run.trace_id}
    assert {span.name for span in inside} == {"read", "load", "window"}
    windows = [attributes(span) for span in inside if span.name == "window"]
    assert len(windows) == facts["windows_done"] > 0
    assert all(
        {"mithril_elt.project", "mithril_elt.window_from", "mithril_elt.rows"} <= each.keys() for each in windows
    )
    assert {each["mithril_elt.run_id"] for each in windows} == {facts["run_id"]}
    assert attributes(run)["mithril_elt.rows"] == facts["rows"]
    assert attributes(run)["mithril_elt.projects"] == ["proj_a"]
    for span in inside:
        assert run.start_time_unix_nano <= extract.start_time_unix_nano <= span.start_time_unix_nano + 2_000_000
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= extract.end_time_unix_nano + 2_000_000

    found = samples_at(collector)
    for name, unit in {"rows": "{row}", "requests": "{request}", "retries": "{request}", "bytes": "By"}.items():
        assert found[f"mithril_elt.last_run.{name}"] == (facts[name], unit)
    assert found["mithril_elt.last_run.exit_status"] == (0, "1")
    assert found["mithril_elt.last_run.duration"] == (facts["stages_ms"]["extract"] / 1000, "s")
    assert 0 <= found["mithril_elt.last_run.as_of_age"][0] < 60


def test_a_failure_is_told_with_its_retries_and_without_the_key(
    cli: Cli, collector: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The span of the run has the error; a resource says whose it is, as the environment has it."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gpus")
    monkeypatch.setattr("mithril_elt.client.Limits", partial(Limits, backoff_s=0.001, attempts=3))
    says_it = Answer(503, {"detail": f"the key {KEY} is busy"}, {"Retry-After": "0"})
    ended = loaded(cli, monkeypatch, **{"/v2/instances": says_it})
    assert ended.status == 5
    [run] = [span for span in spans_at(collector) if not span.parent_span_id]
    assert run.status.code == 2
    assert run.status.message == json.loads(ended.out)["error"]
    retries = [attributes(event) for event in run.events if event.name == "retry"]
    assert len(retries) == json.loads(ended.out)["retries"] > 0
    assert all(each["mithril_elt.endpoint"] == "/v2/instances" for each in retries)
    assert samples_at(collector)["mithril_elt.last_run.exit_status"][0] == 5
    told = ExportTraceServiceRequest.FromString(collector.asked[0].body)
    assert attributes(told.resource_spans[0].resource)["service.name"] == "gpus"
    assert all(KEY.encode() not in asked.body for asked in collector.asked)


@pytest.mark.parametrize(
    ("environ", "paths"),
    [
        ({}, set()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_SDK_DISABLED": "true"}, set()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "{}", "OTEL_METRICS_EXPORTER": "none"}, {"/v1/traces"}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "{}/own"}, {"/own"}),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}/own"}, {"/own"}),
    ],
)
def test_the_environment_decides(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], paths: set[str]
) -> None:
    """By the standard variables; without them nothing is sent."""
    with scripted(TAKEN) as served:
        for name, value in environ.items():
            monkeypatch.setenv(name, value.format(served.url))
        assert refused(cli).status == 3
        assert {asked.path for asked in served.asked} == paths


def test_nothing_of_it_is_needed(cli: Cli, collector: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a run is as it was, whatever the environment names for others."""
    for name in [name for name in sys.modules if name.startswith("opentelemetry.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    ended = refused(cli)
    assert (ended.status, collector.asked) == (3, [])
    assert "OpenTelemetry" not in ended.err


@pytest.mark.parametrize("answer", [Answer(400, b"no"), Answer(how="stall", body=b""), Answer(how="raw", body=b"?")])
def test_a_collector_that_fails_is_said_and_changes_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    """One warning for each of the two, without the address, which may have a token."""
    monkeypatch.setattr("mithril_elt.cli.telemetry._WAIT_S", 1)
    with scripted(answer) as served:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{served.url}/canary0123456789")
        ended = refused(cli)
    assert (ended.status, json.loads(ended.out)["exit_status"]) == (3, 3)
    warnings = [line for line in ended.err.splitlines() if line.startswith("Warning: ")]
    assert warnings == [
        f"Warning: the run's {each} did not arrive at the OpenTelemetry collector" for each in ("traces", "metrics")
    ]
    assert "canary" not in ended.err


def test_a_file_for_node_exporter(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where MITHRIL_METRICS_FILE says: replaced whole, for all to read, nothing left beside it; a failure is said."""
    file = tmp_path / "textfiles" / "mithril.prom"
    monkeypatch.setenv("MITHRIL_METRICS_FILE", str(file))
    missing = refused(cli)
    assert (missing.status, "MITHRIL_METRICS_FILE could not be written" in missing.err) == (3, True)
    file.parent.mkdir()
    facts = json.loads(loaded(cli, monkeypatch).out)
    lines = file.read_text().splitlines()
    assert f'mithril_elt_last_run_rows{{command="extract"}} {facts["rows"]}' in lines
    assert 'mithril_elt_last_run_exit_status{command="extract"} 0' in lines
    assert "# TYPE mithril_elt_last_run_duration_seconds gauge" in lines
    assert [line for line in lines if line.startswith("mithril_elt_last_run_as_of_age_seconds{")]
    monkeypatch.delenv("MITHRIL_API_KEY")
    assert refused(cli).status == 3
    assert 'mithril_elt_last_run_exit_status{command="extract"} 3' in file.read_text().splitlines()
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(file.parent.iterdir()) == [file]
