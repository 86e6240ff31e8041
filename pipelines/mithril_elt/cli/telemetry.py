"""A run as OpenTelemetry sees it: a span for it, each stage and each window, and its numbers as metrics.

Stands inside `cli`, under `summary`. It listens to the log, whose lines have all of it (`log_facts`), and sends when
the run is over. The standard OTEL_* variables decide where to, the extra `otel` has what sends; without either nothing
is done.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mithril_elt.cli.metrics import metrics_of
from mithril_elt.cli.saying import plain
from mithril_elt.log_facts import known_facts, silenced

__all__ = ["Telemetry"]

log = logging.getLogger("mithril_elt")

_WAIT_S = 5
_BATCH = 512
_NS = 1_000_000
_TOLD = frozenset({"stage", "window", "retry", "walk_anew", "warning"})
_SPANS = frozenset({"stage", "window"})
_OUTER = frozenset({"extract", "build"})  # stages that others are inside of
_NOT_ATTRIBUTES = frozenset({"event", "at_ns", "stage", "duration_ms"})


class Telemetry(logging.Handler):
    """Remembers what a run logs, and sends it at its end; nothing, unless somebody is to be told.

    It begins to listen when it is made, and ends with `tell`.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._signals = [signal for signal in ("TRACES", "METRICS") if _is_wanted(signal)]
        self._events: list[dict[str, Any]] = []
        self._began_at = datetime.now(UTC)
        if self._signals:
            log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the facts of a line."""
        own = getattr(record, "facts", {})
        event = own.get("event") or ("warning" if record.levelno >= logging.WARNING else "note")
        if event in _TOLD:
            facts = {**known_facts(), **own, "event": event, "at_ns": int(record.created * 1_000_000) * 1000}
            self._events.append(facts | ({} if event in _SPANS else {"message": record.getMessage()}))

    def tell(self, facts: Mapping[str, Any], command: str) -> None:
        """Sends the run; that it did not arrive is said on stderr, and changes nothing."""
        log.removeHandler(self)
        sending: dict[str, Callable[[], bool]] = {
            "TRACES": lambda: _send_spans(self._events, facts, self._began_at, command),
            "METRICS": lambda: _send_metrics(facts, command),
        }
        for signal in self._signals:
            with silenced("opentelemetry", "urllib3"):
                try:
                    arrived = sending[signal]()
                except Exception as error:  # noqa: BLE001  # whatever a collector does, the run has ended as it has
                    log.debug("OpenTelemetry: %s", type(error).__name__)
                    arrived = False
            if not arrived:
                log.warning("the run's %s did not arrive at the OpenTelemetry collector", signal.lower())


def _is_wanted(signal: str) -> bool:
    """Whether the environment names a collector for it, and what sends is installed."""
    said = {name: value.strip().lower() for name, value in os.environ.items() if name.startswith("OTEL_")}
    address = said.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or said.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    is_off = said.get("OTEL_SDK_DISABLED") == "true" or said.get(f"OTEL_{signal}_EXPORTER", "otlp") != "otlp"
    if not address or is_off:
        return False
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        log.debug("OpenTelemetry is named and not installed: pip install 'mithril-elt[otel]'")
        return False


def _patience(signal: str) -> int | None:
    """How long to wait for a collector; None: as the environment says."""
    names = ("OTEL_EXPORTER_OTLP_TIMEOUT", f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT")
    return None if any(name in os.environ for name in names) else _WAIT_S


def _resource() -> Any:
    from importlib.metadata import version  # noqa: PLC0415  # only where somebody is told

    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415  # an extra

    own = {"service.name": "mithril-elt", "service.version": version("mithril-elt")}
    return Resource.create().merge(Resource(own)).merge(OTELResourceDetector().detect())


def _send_metrics(facts: Mapping[str, Any], command: str) -> bool:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415  # an extra
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult  # noqa: PLC0415  # as above

    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], _resource(), shutdown_on_exit=False).get_meter("mithril_elt")
    for metric in metrics_of(facts, datetime.now(UTC)):
        gauge = meter.create_gauge(f"mithril_elt.last_run.{metric.name}", unit=metric.unit, description=metric.says)
        gauge.set(metric.value, {"command": command})
    numbers, exporter = reader.get_metrics_data(), OTLPMetricExporter(timeout=_patience("METRICS"))
    return numbers is not None and exporter.export(numbers) is MetricExportResult.SUCCESS


def _send_spans(events: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], began: datetime, command: str) -> bool:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415  # as above

    provider, kept = TracerProvider(resource=_resource(), shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    _make_spans(provider.get_tracer("mithril_elt"), events, facts, began, command)
    spans, exporter = kept.get_finished_spans(), OTLPSpanExporter(timeout=_patience("TRACES"))
    batches = [spans[start : start + _BATCH] for start in range(0, len(spans), _BATCH)]
    return all(exporter.export(batch) is SpanExportResult.SUCCESS for batch in batches)


def _make_spans(
    tracer: Any, events: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], began: datetime, command: str
) -> None:
    """The run, its stages inside it, and inside those what has ended before they did: windows, and lesser stages."""
    from opentelemetry.trace import Status, StatusCode, set_span_in_context  # noqa: PLC0415  # an extra

    run = tracer.start_span(command, start_time=_ns(began), attributes=_attributes(facts))
    if facts["outcome"] != "done":
        run.set_status(Status(StatusCode.ERROR, plain(str(facts["error"]))))
    inside: list[Mapping[str, Any]] = []
    for event in events:
        if event["event"] not in _SPANS:
            run.add_event(event["event"], _attributes(event), timestamp=event["at_ns"])
            continue
        inside.append(event)
        if event.get("stage") not in _OUTER:
            continue
        outer = _span(tracer, inside.pop(), set_span_in_context(run))
        for each in inside:
            _span(tracer, each, set_span_in_context(outer)).end(each["at_ns"])
        outer.end(event["at_ns"])
        inside = []
    run.end()


def _span(tracer: Any, event: Mapping[str, Any], context: Any) -> Any:
    """What took so long until then; still open, for what is inside it."""
    began_at_ns = event["at_ns"] - event["duration_ms"] * _NS
    name = event.get("stage") or event["event"]
    return tracer.start_span(name, context, start_time=began_at_ns, attributes=_attributes(event))


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as attributes, named as in the log, with nothing secret in them."""
    flat = {
        (name if inner is None else f"{name}.{inner}"): fact
        for name, value in facts.items()
        for inner, fact in (value.items() if isinstance(value, Mapping) else [(None, value)])
    }
    return {
        f"mithril_elt.{name}": _attribute(fact)
        for name, fact in flat.items()
        if fact is not None and name not in _NOT_ATTRIBUTES
    }


def _attribute(fact: Any) -> Any:
    if isinstance(fact, (bool, int)):
        return fact
    return [plain(str(each)) for each in fact] if isinstance(fact, (list, tuple)) else plain(str(fact))


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
