// Sends the spans of a plan (OTLP JSON, the file named on the command line) through the SDK, the batch processor and the
// exporter that the OTEL_ variables ask for; prints what the exporter said of its batches.
package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const spansPerBatch = 64

type anyValue struct {
	StringValue *string                      `json:"stringValue"`
	BoolValue   *bool                        `json:"boolValue"`
	IntValue    *string                      `json:"intValue"`
	DoubleValue any                          `json:"doubleValue"`
	BytesValue  *string                      `json:"bytesValue"`
	ArrayValue  *struct{ Values []anyValue } `json:"arrayValue"`
	KvlistValue *struct{ Values []keyValue } `json:"kvlistValue"`
}

type keyValue struct {
	Key   string
	Value anyValue
}

type plannedSpan struct {
	TraceID           string `json:"traceId"`
	SpanID            string `json:"spanId"`
	ParentSpanID      string `json:"parentSpanId"`
	TraceState        string
	Name              string
	Kind              int
	StartTimeUnixNano string
	EndTimeUnixNano   string
	Attributes        []keyValue
	Events            []struct {
		Name         string
		TimeUnixNano string
		Attributes   []keyValue
	}
	Links []struct {
		TraceID    string `json:"traceId"`
		SpanID     string `json:"spanId"`
		TraceState string
		Attributes []keyValue
	}
	Status struct {
		Code    int
		Message string
	}
}

type plan struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []keyValue }
		ScopeSpans []struct {
			Scope struct{ Name, Version string }
			Spans []plannedSpan
		}
	}
}

type outcome struct {
	mutex     sync.Mutex
	Succeeded int      `json:"succeeded"`
	Failed    int      `json:"failed"`
	Errors    []string `json:"errors"`
}

func (o *outcome) note(err error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.Errors = append(o.Errors, err.Error())
}

type recordingExporter struct {
	sdk.SpanExporter
	outcome *outcome
}

func (r recordingExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		r.outcome.Succeeded++
	} else {
		r.outcome.Failed++
	}
	return err
}

type plannedIDs struct {
	traceID trace.TraceID
	spanID  trace.SpanID
}

func (p *plannedIDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return p.traceID, p.spanID
}
func (p *plannedIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return p.spanID }

func createExporter(ctx context.Context) (sdk.SpanExporter, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

func toValue(value anyValue) attribute.Value {
	switch {
	case value.StringValue != nil:
		return attribute.StringValue(*value.StringValue)
	case value.BoolValue != nil:
		return attribute.BoolValue(*value.BoolValue)
	case value.IntValue != nil:
		return attribute.Int64Value(must(strconv.ParseInt(*value.IntValue, 10, 64)))
	case value.DoubleValue != nil:
		return attribute.Float64Value(must(strconv.ParseFloat(fmt.Sprint(value.DoubleValue), 64)))
	case value.BytesValue != nil:
		return attribute.ByteSliceValue(must(base64.StdEncoding.DecodeString(*value.BytesValue)))
	case value.ArrayValue != nil:
		items := make([]attribute.Value, 0, len(value.ArrayValue.Values))
		for _, item := range value.ArrayValue.Values {
			items = append(items, toValue(item))
		}
		return attribute.SliceValue(items...)
	case value.KvlistValue != nil:
		return attribute.MapValue(toAttributes(value.KvlistValue.Values)...)
	}
	return attribute.Value{}
}

func toAttributes(values []keyValue) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, len(values))
	for _, value := range values {
		attributes = append(attributes, attribute.KeyValue{Key: attribute.Key(value.Key), Value: toValue(value.Value)})
	}
	return attributes
}

func toTime(nanoseconds string) time.Time {
	return time.Unix(0, must(strconv.ParseInt(nanoseconds, 10, 64)))
}

func toContext(traceID, spanID, traceState string) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    trace.TraceID(must(hex.DecodeString(traceID))),
		SpanID:     trace.SpanID(must(hex.DecodeString(spanID))),
		TraceFlags: trace.FlagsSampled,
		TraceState: must(trace.ParseTraceState(traceState)),
		Remote:     true,
	})
}

func send(tracer trace.Tracer, ids *plannedIDs, planned plannedSpan) {
	ctx := context.Background()
	if planned.ParentSpanID != "" {
		ctx = trace.ContextWithSpanContext(ctx, toContext(planned.TraceID, planned.ParentSpanID, planned.TraceState))
	}
	ids.traceID = trace.TraceID(must(hex.DecodeString(planned.TraceID)))
	ids.spanID = trace.SpanID(must(hex.DecodeString(planned.SpanID)))
	var links []trace.Link
	for _, link := range planned.Links {
		links = append(links, trace.Link{
			SpanContext: toContext(link.TraceID, link.SpanID, link.TraceState),
			Attributes:  toAttributes(link.Attributes),
		})
	}
	_, span := tracer.Start(ctx, planned.Name,
		trace.WithSpanKind(trace.SpanKind(planned.Kind)),
		trace.WithTimestamp(toTime(planned.StartTimeUnixNano)),
		trace.WithAttributes(toAttributes(planned.Attributes)...),
		trace.WithLinks(links...))
	for _, event := range planned.Events {
		span.AddEvent(event.Name,
			trace.WithTimestamp(toTime(event.TimeUnixNano)),
			trace.WithAttributes(toAttributes(event.Attributes)...))
	}
	switch planned.Status.Code {
	case 1:
		span.SetStatus(codes.Ok, "")
	case 2:
		span.SetStatus(codes.Error, planned.Status.Message)
	}
	span.End(trace.WithTimestamp(toTime(planned.EndTimeUnixNano)))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	said := &outcome{Errors: []string{}}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(said.note))
	var given plan
	if err := json.Unmarshal(must(os.ReadFile(os.Args[1])), &given); err != nil {
		log.Fatal(err)
	}
	envelope := given.ResourceSpans[0]
	scopeSpans := envelope.ScopeSpans[0]
	ids := &plannedIDs{}
	provider := sdk.NewTracerProvider(
		sdk.WithIDGenerator(ids),
		sdk.WithResource(resource.NewSchemaless(toAttributes(envelope.Resource.Attributes)...)),
		sdk.WithBatcher(recordingExporter{must(createExporter(ctx)), said}, sdk.WithMaxExportBatchSize(spansPerBatch)))
	tracer := provider.Tracer(scopeSpans.Scope.Name, trace.WithInstrumentationVersion(scopeSpans.Scope.Version))
	for _, planned := range scopeSpans.Spans {
		send(tracer, ids, planned)
	}
	if err := provider.ForceFlush(ctx); err != nil {
		said.note(err)
	}
	if err := provider.Shutdown(ctx); err != nil {
		said.note(err)
	}
	fmt.Println(string(must(json.Marshal(said))))
}
