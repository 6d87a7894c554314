"""Sends the spans of a plan (OTLP JSON, the file named on the command line) through the SDK, the batch processor and the
exporter that the OTEL_ variables ask for; prints what the exporter said of its batches."""

import base64
import json
import logging
import os
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

SPANS_PER_BATCH = 64
KINDS = [SpanKind.INTERNAL, SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]
outcome = {"succeeded": 0, "failed": 0, "errors": []}


class KeptLog(logging.Handler):
    def emit(self, record):
        outcome["errors"].append(record.getMessage())


class RecordingExporter(SpanExporter):
    def __init__(self, exporter):
        self.exporter = exporter

    def export(self, spans):
        result = self.exporter.export(spans)
        outcome["succeeded" if result is SpanExportResult.SUCCESS else "failed"] += 1
        return result

    def shutdown(self):
        self.exporter.shutdown()


class PlannedIds(IdGenerator):
    trace_id = 0
    span_id = 0

    def generate_trace_id(self):
        return self.trace_id

    def generate_span_id(self):
        return self.span_id


def create_exporter():
    if os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter()


def to_value(value):
    [(kind, content)] = (value or {}).items() or [("empty", None)]
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)
    if kind == "bytesValue":
        return base64.b64decode(content)
    if kind == "arrayValue":
        return [to_value(item) for item in content.get("values", [])]
    if kind == "kvlistValue":
        return to_attributes(content.get("values", []))
    return content


def to_attributes(attributes):
    return {attribute["key"]: to_value(attribute.get("value")) for attribute in attributes or []}


def to_context(trace_id, span_id, trace_state=""):
    state = TraceState.from_header([trace_state]) if trace_state else None
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(TraceFlags.SAMPLED), state)


def parent_of(span):
    if not span.get("parentSpanId"):
        return None
    return set_span_in_context(
        NonRecordingSpan(to_context(span["traceId"], span["parentSpanId"], span.get("traceState", "")))
    )


def send(tracer, ids, planned):
    ids.trace_id = int(planned["traceId"], 16)
    ids.span_id = int(planned["spanId"], 16)
    span = tracer.start_span(
        planned["name"],
        context=parent_of(planned),
        kind=KINDS[planned.get("kind", 1)],
        attributes=to_attributes(planned.get("attributes")),
        links=[
            Link(to_context(link["traceId"], link["spanId"], link.get("traceState", "")), to_attributes(link.get("attributes")))
            for link in planned.get("links", [])
        ],
        start_time=int(planned["startTimeUnixNano"]),
    )
    for event in planned.get("events", []):
        span.add_event(event["name"], to_attributes(event.get("attributes")), int(event["timeUnixNano"]))
    status = planned.get("status", {})
    if status.get("code"):
        span.set_status(Status([StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR][status["code"]], status.get("message")))
    span.end(int(planned["endTimeUnixNano"]))


def main():
    logging.getLogger().addHandler(KeptLog())
    with open(sys.argv[1], encoding="utf-8") as file:
        [envelope] = json.load(file)["resourceSpans"]
    [scope_spans] = envelope["scopeSpans"]
    ids = PlannedIds()
    provider = TracerProvider(resource=Resource(to_attributes(envelope["resource"]["attributes"])), id_generator=ids)
    provider.add_span_processor(
        BatchSpanProcessor(RecordingExporter(create_exporter()), max_export_batch_size=SPANS_PER_BATCH)
    )
    scope = scope_spans["scope"]
    tracer = provider.get_tracer(scope["name"], scope.get("version"))
    for planned in scope_spans["spans"]:
        send(tracer, ids, planned)
    provider.force_flush()
    provider.shutdown()
    print(json.dumps(outcome))


main()
