package loopkit;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.TraceStateBuilder;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.IdGenerator;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Sends the spans of a plan (OTLP JSON, the file named on the command line) through the SDK as autoconfigured from the OTEL_
 * variables, its batch processor and exporter; prints what the exporter said of its batches.
 */
public final class SendPlan {
  private static final long WAIT_SECONDS = 60;
  private static final AtomicInteger succeeded = new AtomicInteger();
  private static final AtomicInteger failed = new AtomicInteger();
  private static final List<String> errors = Collections.synchronizedList(new ArrayList<>());

  public static void main(String[] args) throws Exception {
    keepLog();
    JsonObject envelope =
        first(JsonParser.parseString(Files.readString(Path.of(args[0]))).getAsJsonObject(), "resourceSpans");
    JsonObject scopeSpans = first(envelope, "scopeSpans");
    PlannedIds ids = new PlannedIds();
    Resource resource = Resource.create(toAttributes(envelope.getAsJsonObject("resource")));
    var sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .addResourceCustomizer((found, config) -> found.merge(resource))
            .addTracerProviderCustomizer((provider, config) -> provider.setIdGenerator(ids))
            .addSpanExporterCustomizer((exporter, config) -> new RecordingExporter(exporter))
            .build()
            .getOpenTelemetrySdk();
    JsonObject scope = scopeSpans.getAsJsonObject("scope");
    Tracer tracer = sdk.getTracer(text(scope, "name"), text(scope, "version"));
    for (JsonElement planned : scopeSpans.getAsJsonArray("spans")) send(tracer, ids, planned.getAsJsonObject());
    sdk.getSdkTracerProvider().forceFlush().join(WAIT_SECONDS, TimeUnit.SECONDS);
    sdk.getSdkTracerProvider().shutdown().join(WAIT_SECONDS, TimeUnit.SECONDS);
    System.out.println(
        new Gson().toJson(Map.of("succeeded", succeeded.get(), "failed", failed.get(), "errors", errors)));
    System.exit(0);
  }

  private static void send(Tracer tracer, PlannedIds ids, JsonObject planned) {
    ids.traceId = text(planned, "traceId");
    ids.spanId = text(planned, "spanId");
    SpanBuilder builder =
        tracer
            .spanBuilder(text(planned, "name"))
            .setParent(parentOf(planned))
            .setSpanKind(SpanKind.values()[planned.get("kind").getAsInt() - 1])
            .setStartTimestamp(nano(planned, "startTimeUnixNano"), TimeUnit.NANOSECONDS)
            .setAllAttributes(toAttributes(planned));
    for (JsonElement element : list(planned, "links")) {
      JsonObject link = element.getAsJsonObject();
      builder.addLink(toContext(text(link, "traceId"), text(link, "spanId"), text(link, "traceState")), toAttributes(link));
    }
    Span span = builder.startSpan();
    for (JsonElement element : list(planned, "events")) {
      JsonObject event = element.getAsJsonObject();
      span.addEvent(text(event, "name"), toAttributes(event), nano(event, "timeUnixNano"), TimeUnit.NANOSECONDS);
    }
    JsonObject status = planned.getAsJsonObject("status");
    if (status != null && status.has("code"))
      span.setStatus(StatusCode.values()[status.get("code").getAsInt()], text(status, "message"));
    span.end(nano(planned, "endTimeUnixNano"), TimeUnit.NANOSECONDS);
  }

  private static Context parentOf(JsonObject planned) {
    String parent = text(planned, "parentSpanId");
    if (parent.isEmpty()) return Context.root();
    return Context.root().with(Span.wrap(toContext(text(planned, "traceId"), parent, text(planned, "traceState"))));
  }

  private static SpanContext toContext(String traceId, String spanId, String traceState) {
    TraceStateBuilder state = TraceState.builder();
    String[] members = traceState.isEmpty() ? new String[0] : traceState.split(",");
    // The builder puts each new member in front.
    for (int last = members.length - 1; last >= 0; last--) {
      int at = members[last].indexOf('=');
      state.put(members[last].substring(0, at), members[last].substring(at + 1));
    }
    return SpanContext.createFromRemoteParent(traceId, spanId, TraceFlags.getSampled(), state.build());
  }

  private static Attributes toAttributes(JsonObject owner) {
    AttributesBuilder attributes = Attributes.builder();
    for (JsonElement attribute : list(owner, "attributes")) put(attributes, attribute.getAsJsonObject());
    return attributes.build();
  }

  private static void put(AttributesBuilder attributes, JsonObject attribute) {
    String key = text(attribute, "key");
    Value<?> value = toValue(attribute.getAsJsonObject("value"));
    switch (value.getType()) {
      case STRING -> attributes.put(key, (String) value.getValue());
      case BOOLEAN -> attributes.put(key, (Boolean) value.getValue());
      case LONG -> attributes.put(key, (Long) value.getValue());
      case DOUBLE -> attributes.put(key, (Double) value.getValue());
      default -> attributes.put(AttributeKey.valueKey(key), value);
    }
  }

  private static Value<?> toValue(JsonObject value) {
    if (value == null || value.isEmpty()) return Value.empty();
    String kind = value.keySet().iterator().next();
    JsonElement content = value.get(kind);
    return switch (kind) {
      case "stringValue" -> Value.of(content.getAsString());
      case "boolValue" -> Value.of(content.getAsBoolean());
      case "intValue" -> Value.of(Long.parseLong(content.getAsString()));
      case "doubleValue" -> Value.of(Double.parseDouble(content.getAsString()));
      case "bytesValue" -> Value.of(Base64.getDecoder().decode(content.getAsString()));
      case "arrayValue" -> {
        List<Value<?>> items = new ArrayList<>();
        for (JsonElement item : list(content.getAsJsonObject(), "values")) items.add(toValue(item.getAsJsonObject()));
        yield Value.of(items);
      }
      default -> {
        List<KeyValue> items = new ArrayList<>();
        for (JsonElement item : list(content.getAsJsonObject(), "values"))
          items.add(KeyValue.of(text(item.getAsJsonObject(), "key"), toValue(item.getAsJsonObject().getAsJsonObject("value"))));
        yield Value.of(items.toArray(new KeyValue[0]));
      }
    };
  }

  private static JsonArray list(JsonObject owner, String name) {
    return owner.has(name) ? owner.getAsJsonArray(name) : new JsonArray();
  }

  private static JsonObject first(JsonObject owner, String name) {
    return owner.getAsJsonArray(name).get(0).getAsJsonObject();
  }

  private static String text(JsonObject owner, String name) {
    return owner.has(name) ? owner.get(name).getAsString() : "";
  }

  private static long nano(JsonObject owner, String name) {
    return Long.parseLong(text(owner, name));
  }

  private static void keepLog() {
    Logger root = Logger.getLogger("");
    root.addHandler(
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            if (record.getLevel().intValue() >= java.util.logging.Level.WARNING.intValue())
              errors.add(record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        });
  }

  private static final class PlannedIds implements IdGenerator {
    private String traceId;
    private String spanId;

    @Override
    public String generateTraceId() {
      return traceId;
    }

    @Override
    public String generateSpanId() {
      return spanId;
    }
  }

  private record RecordingExporter(SpanExporter exporter) implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      CompletableResultCode result = exporter.export(spans);
      result.whenComplete(() -> (result.isSuccess() ? succeeded : failed).incrementAndGet());
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }
}
