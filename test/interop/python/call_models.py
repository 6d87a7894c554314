"""Calls a model through the openai client under one of two public instrumentations, once for each way a call can go.

Arguments: the instrumentation (openllmetry or openinference) and the base URL of the model server. The exporter is configured
by the OTEL_ variables. Prints, as JSON, the trace id of each case and what the caller saw.
"""

import json
import sys
from contextlib import nullcontext

import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "gpt-4o-mini"
TIMEOUT_S = 0.5
MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Wetter in Köln? ☔"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def instrument(instrumentation, provider):
    if instrumentation == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    else:
        from openinference.instrumentation.openai import OpenAIInstrumentor
    OpenAIInstrumentor().instrument(tracer_provider=provider)


def in_session(instrumentation, session):
    if instrumentation == "openllmetry":
        return nullcontext()
    from openinference.instrumentation import using_session

    return using_session(session)


def root_attributes(instrumentation, session):
    if instrumentation == "openllmetry":
        return {"traceloop.span.kind": "workflow", "traceloop.association.properties.session_id": session}
    return {"openinference.span.kind": "CHAIN", "session.id": session}


def tool_attributes(instrumentation):
    if instrumentation == "openllmetry":
        return {"traceloop.span.kind": "tool", "traceloop.entity.name": "get_weather"}
    return {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}


def chat(client, **given):
    return client.chat.completions.create(model=MODEL, messages=MESSAGES, **given)


def stream(client):
    chunks = chat(client, stream=True, stream_options={"include_usage": True})
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def call_tool(client, tracer, instrumentation):
    answer = chat(client, tools=TOOLS).choices[0].message.tool_calls[0].function
    with tracer.start_as_current_span("get_weather", attributes=tool_attributes(instrumentation)):
        return json.loads(answer.arguments)["city"]


def main():
    instrumentation, model_url = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": f"agent-{instrumentation}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    instrument(instrumentation, provider)
    tracer = provider.get_tracer("agent")
    cases = {
        "chat": chat,
        "stream": stream,
        "tool_call": lambda client: call_tool(client, tracer, instrumentation),
        "cut_off": chat,
        "retried": lambda client: chat(client.with_options(max_retries=1)),
        "responses": lambda client: client.responses.create(model=MODEL, input="Wetter?"),
        "embeddings": lambda client: client.embeddings.create(model="text-embedding-3-small", input="Wetter"),
        "rate_limited": chat,
        "server_error": chat,
        "timeout": chat,
        "broken_stream": stream,
    }
    said = {}
    for case, call in cases.items():
        client = openai.OpenAI(
            api_key="unused", base_url=model_url, max_retries=0, timeout=TIMEOUT_S, default_headers={"x-case": case}
        )
        session = f"session-{instrumentation}-{case}"
        with (
            in_session(instrumentation, session),
            tracer.start_as_current_span(f"case {case}", attributes=root_attributes(instrumentation, session)) as root,
        ):
            try:
                call(client)
                seen = "ok"
            except Exception as error:  # noqa: BLE001 - the caller lives on, as an agent would
                seen = type(error).__name__
            said[case] = {"traceId": format(root.get_span_context().trace_id, "032x"), "seen": seen, "session": session}
    provider.force_flush()
    provider.shutdown()
    print(json.dumps(said))


main()
