import { type SpanFixture, tokensWith, viewWith } from './sent-span.fixture.ts'

/** Frameworks with words of their own: LangSmith, Langfuse, Haystack, Google's ADK, Pydantic AI, Claude Code. */
export const FRAMEWORK_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: 'LangSmith: a prompt is no model call, whatever its operation is called',
    sent: {
      name: 'ChatPromptTemplate',
      attributes: {
        'langsmith.span.kind': 'prompt',
        'gen_ai.operation.name': 'chat',
        'langsmith.trace.session_id': 'the-project',
      },
    },
    view: viewWith({
      kind: 'other',
      operation: 'ChatPromptTemplate',
      derived_from: { kind: 'langsmith.span.kind', operation: 'span.name' },
    }),
  },
  {
    guarantee: 'LangSmith: a retriever is no embedding',
    sent: {
      name: 'VectorStoreRetriever',
      attributes: { 'langsmith.span.kind': 'retriever', 'gen_ai.operation.name': 'embeddings' },
    },
    view: viewWith({
      kind: 'retrieval',
      operation: 'VectorStoreRetriever',
      derived_from: { kind: 'langsmith.span.kind', operation: 'span.name' },
    }),
  },
  {
    guarantee: 'LangSmith: a tool, and the thread as session',
    sent: {
      name: 'search_docs',
      attributes: {
        'langsmith.span.kind': 'tool',
        'gen_ai.operation.name': 'execute_tool',
        'langsmith.trace.name': 'search_docs',
        'langsmith.metadata.thread_id': 'thread-9',
      },
    },
    view: viewWith({
      kind: 'tool',
      operation: 'execute_tool search_docs',
      tool: 'search_docs',
      session: 'thread-9',
      derived_from: {
        kind: 'langsmith.span.kind',
        tool: 'langsmith.trace.name',
        operation: 'langsmith.trace.name',
        session: 'langsmith.metadata.thread_id',
      },
    }),
  },
  {
    guarantee: 'Langfuse: model, usage and cost of a generation out of its JSON texts',
    sent: {
      name: 'summarize',
      attributes: {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': 'claude-sonnet-4',
        'langfuse.observation.usage_details': '{"input":500,"output":60,"cache_read_input_tokens":300}',
        'langfuse.observation.cost_details': '{"input":0.002,"output":0.001}',
        'user.id': 'u-1',
        'langfuse.environment': 'staging',
      },
    },
    view: viewWith({
      kind: 'chat',
      operation: 'chat',
      model: 'claude-sonnet-4',
      user: 'u-1',
      environment: 'staging',
      cost_usd: 0.003,
      tokens: tokensWith({ input: 800, output: 60, total: 860, cache_read: 300 }),
      derived_from: {
        kind: 'langfuse.observation.type',
        model: 'langfuse.observation.model.name',
        'tokens.input': 'langfuse.observation.usage_details',
        'tokens.output': 'langfuse.observation.usage_details',
        'tokens.cache_read': 'langfuse.observation.usage_details',
        'tokens.total': 'langfuse.observation.usage_details',
        cost_usd: 'langfuse.observation.cost_details',
        user: 'user.id',
        environment: 'langfuse.environment',
        operation: 'langfuse.observation.type',
      },
    }),
  },
  {
    guarantee: 'Langfuse: a plain span keeps its name',
    sent: { name: 'load-basket', attributes: { 'langfuse.observation.type': 'span' } },
    view: viewWith({ kind: 'other', operation: 'load-basket', derived_from: { operation: 'span.name' } }),
  },
  {
    guarantee: 'Haystack: a component is called by its name in the pipeline',
    sent: {
      name: 'haystack.component.run',
      attributes: { 'haystack.component.name': 'ranker', 'haystack.component.type': 'LostInTheMiddleRanker' },
    },
    view: viewWith({
      kind: 'retrieval',
      operation: 'run ranker',
      derived_from: { kind: 'haystack.component.type', operation: 'haystack.component.name' },
    }),
  },
  {
    guarantee: 'Haystack: a generator is a model call',
    sent: {
      name: 'haystack.component.run',
      attributes: { 'haystack.component.name': 'llm', 'haystack.component.type': 'OpenAIChatGenerator' },
    },
    view: viewWith({
      kind: 'chat',
      operation: 'chat',
      derived_from: { kind: 'haystack.component.type', operation: 'haystack.component.name' },
    }),
  },
  {
    guarantee: "Google's ADK: the session of a model call",
    sent: {
      name: 'call_llm',
      attributes: {
        'gen_ai.system': 'gcp.vertex.agent',
        'gen_ai.request.model': 'gemini-2.5-flash',
        'gcp.vertex.agent.session_id': 's-77',
        'gcp.vertex.agent.invocation_id': 'e-1',
      },
    },
    view: viewWith({
      kind: 'chat',
      operation: 'chat',
      model: 'gemini-2.5-flash',
      provider: 'gcp.vertex.agent',
      session: 's-77',
      derived_from: {
        kind: 'gen_ai.request.model',
        operation: 'gen_ai.request.model',
        model: 'gen_ai.request.model',
        provider: 'gen_ai.system',
        session: 'gcp.vertex.agent.session_id',
      },
    }),
  },
  {
    guarantee: 'Pydantic AI before it named its operation: a run of an agent, whose usage repeats that of its calls',
    sent: {
      name: 'agent run',
      attributes: { agent_name: 'planner', model_name: 'gpt-4o', 'gen_ai.usage.input_tokens': 900, 'logfire.msg': 'planner run' },
    },
    view: viewWith({
      kind: 'agent',
      operation: 'invoke_agent planner',
      agent: 'planner',
      model: 'gpt-4o',
      derived_from: { kind: 'agent_name', agent: 'agent_name', model: 'model_name', operation: 'agent_name' },
    }),
  },
  {
    guarantee: 'Claude Code: usage with what the cache gave on top, and how it ended',
    sent: {
      name: 'claude_code.llm_request',
      attributes: {
        model: 'claude-opus-4',
        input_tokens: 12,
        output_tokens: 340,
        cache_read_tokens: 18_000,
        cache_creation_tokens: 200,
        stop_reason: 'tool_use',
        'session.id': 'cc-1',
      },
    },
    view: viewWith({
      kind: 'chat',
      operation: 'chat',
      model: 'claude-opus-4',
      session: 'cc-1',
      finish_reasons: ['tool_use'],
      tokens: tokensWith({ input: 18_212, output: 340, total: 18_552, cache_read: 18_000, cache_creation: 200 }),
      derived_from: {
        kind: 'span.name',
        model: 'model',
        'tokens.input': 'input_tokens + cache_read_tokens + cache_creation_tokens',
        'tokens.output': 'output_tokens',
        'tokens.cache_read': 'cache_read_tokens',
        'tokens.cache_creation': 'cache_creation_tokens',
        'tokens.total': 'input_tokens + cache_read_tokens + cache_creation_tokens + output_tokens',
        finish_reasons: 'stop_reason',
        session: 'session.id',
        operation: 'span.name',
      },
    }),
  },
  {
    guarantee: "the same words mean nothing on anyone else's span",
    sent: { name: 'train', attributes: { model: 'resnet', success: false, input_tokens: 12, stop_reason: 'converged' } },
    view: viewWith({ kind: 'other', operation: 'train', derived_from: { operation: 'span.name' } }),
  },
  {
    guarantee: "an enumeration's value is read as its name",
    sent: {
      name: 'chat.completions gpt-4o',
      attributes: {
        'gen_ai.operation.name': 'chat.completions',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.finish_reason': 'FinishReason.STOP,FinishReason.LENGTH',
      },
    },
    view: viewWith({
      kind: 'chat',
      operation: 'chat.completions',
      model: 'gpt-4o',
      finish_reasons: ['STOP', 'LENGTH'],
      derived_from: {
        kind: 'gen_ai.operation.name',
        operation: 'gen_ai.operation.name',
        model: 'gen_ai.request.model',
        finish_reasons: 'gen_ai.response.finish_reason',
      },
    }),
  },
]
