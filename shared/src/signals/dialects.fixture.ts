import type { OtlpValue } from '../otlp/model.ts'

/** What happened, before any dialect tells it. */
export interface Turn {
  text?: string
  calls?: Call[]
  end?: 'stop' | 'length' | 'filter' | 'tools'
  error?: Failed
}

export interface Call {
  id: string
  name: string
  args: Record<string, unknown>
}

export interface Run extends Call {
  result?: string
  /** What the tool raised. */
  error?: Failed
  /** What the tool answered, and called an error in the dialect's own way. */
  said?: string
}

export interface Failed {
  type: string
  message: string
}

export interface Told {
  name: string
  kind?: number
  status?: number
  message?: string
  attributes?: Record<string, OtlpValue>
  events?: { name: string; attributes: Record<string, OtlpValue> }[]
}

/** How one instrumentation tells it. Written from the sources of each; only the names are theirs. */
export interface Dialect {
  name: string
  agent: () => Told
  chat: (turn: Turn) => Told
  /** null where its tools have no spans. */
  tool: (run: Run) => Told
  /** Signals that it tells nothing of. */
  silent?: readonly string[]
}

export const MODEL = 'gpt-4.1-mini'
const ERROR = 2
const OK = 1

const raised = (error: Failed | undefined, ok: number = 0) =>
  error === undefined
    ? { status: ok }
    : {
        status: ERROR,
        message: error.message,
        events: [
          {
            name: 'exception',
            attributes: { 'exception.type': error.type, 'exception.message': error.message } as Record<string, OtlpValue>,
          },
        ],
      }

const json = (value: unknown): string => JSON.stringify(value)
const callsOf = (turn: Turn) => turn.calls ?? []
const REASONS = { stop: 'stop', length: 'length', filter: 'content_filter', tools: 'tool_calls' } as const
const reasonOf = (turn: Turn) => REASONS[turn.end ?? (callsOf(turn).length > 0 ? 'tools' : 'stop')]
const openAiCall = ({ id, name, args }: Call) => ({ id, type: 'function', function: { name, arguments: json(args) } })
const openAiMessage = (turn: Turn) => ({
  role: 'assistant',
  content: turn.text ?? null,
  tool_calls: callsOf(turn).map(openAiCall),
})

const genAiMessages = (turn: Turn, finish?: string) =>
  json([
    {
      role: 'assistant',
      parts: [
        ...(turn.text === undefined ? [] : [{ type: 'text', content: turn.text }]),
        ...callsOf(turn).map(({ id, name, args }) => ({ type: 'tool_call', id, name, arguments: args })),
      ],
      ...(finish && { finish_reason: finish }),
    },
  ])

const genAiChat = (turn: Turn, attributes: Record<string, OtlpValue> = {}): Told => ({
  name: `chat ${MODEL}`,
  kind: 3,
  ...raised(turn.error),
  attributes: {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': MODEL,
    ...(turn.error ? { 'error.type': turn.error.type } : { 'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 20 }),
    ...attributes,
  },
})

const genAiAgent = (): Told => ({
  name: 'invoke_agent helper',
  attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper', 'gen_ai.conversation.id': 'conv-1' },
})

const genAiTool = (run: Run, attributes: Record<string, OtlpValue> = {}): Told => ({
  name: `execute_tool ${run.name}`,
  ...raised(run.error),
  attributes: {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': run.name,
    'gen_ai.tool.call.id': run.id,
    ...(run.error && { 'error.type': run.error.type }),
    ...attributes,
  },
})

const genAiContents = (run: Run) => ({
  'gen_ai.tool.call.arguments': json(run.args),
  ...((run.said ?? run.result) !== undefined && { 'gen_ai.tool.call.result': run.said ?? run.result! }),
})

const answered = (turn: Turn, attributes: Record<string, OtlpValue>) => (turn.error ? {} : attributes)

export const DIALECTS: readonly Dialect[] = [
  {
    name: 'OpenTelemetry gen_ai, messages as attributes',
    agent: genAiAgent,
    chat: (turn) =>
      genAiChat(
        turn,
        answered(turn, {
          'gen_ai.response.finish_reasons': [reasonOf(turn)],
          'gen_ai.output.messages': genAiMessages(turn, reasonOf(turn)),
        }),
      ),
    tool: (run) => genAiTool(run, { ...genAiContents(run), ...(run.said && { 'error.type': 'tool_error' }) }),
  },
  {
    name: 'OpenTelemetry gen_ai, a details event, the end in the message alone',
    agent: genAiAgent,
    chat: (turn) => ({
      ...genAiChat(turn),
      ...(!turn.error && {
        events: [
          {
            name: 'gen_ai.client.inference.operation.details',
            attributes: { 'gen_ai.output.messages': genAiMessages(turn, reasonOf(turn)) },
          },
        ],
      }),
    }),
    tool: (run) =>
      genAiTool(run, {
        'gen_ai.tool.call.arguments': json(run.args),
        'gen_ai.tool.call.result': json({
          content: [{ type: 'text', text: run.said ?? run.result ?? '' }],
          isError: run.said !== undefined,
        }),
      }),
  },
  {
    name: 'OpenTelemetry gen_ai, a choice event of before',
    agent: genAiAgent,
    chat: (turn) => ({
      ...genAiChat(turn),
      ...(!turn.error && {
        events: [
          {
            name: 'gen_ai.choice',
            attributes: {
              'gen_ai.event.content': json({ index: 0, finish_reason: reasonOf(turn), message: openAiMessage(turn) }),
            },
          },
        ],
      }),
    }),
    tool: (run) => genAiTool(run, { ...genAiContents(run), ...(run.said && { 'mcp.tool.is_error': true }) }),
  },
  {
    name: 'OpenInference (OpenAI)',
    agent: () => ({
      name: 'helper',
      status: OK,
      attributes: { 'openinference.span.kind': 'AGENT', 'agent.name': 'helper', 'session.id': 'conv-1' },
    }),
    chat: (turn) => ({
      name: 'ChatCompletion',
      ...raised(turn.error, OK),
      attributes: {
        'openinference.span.kind': 'LLM',
        'llm.model_name': MODEL,
        'llm.system': 'openai',
        ...answered(turn, {
          'llm.token_count.prompt': 100,
          'llm.token_count.completion': 20,
          'output.value': json({ id: 'c', choices: [{ index: 0, finish_reason: reasonOf(turn), message: openAiMessage(turn) }] }),
          'llm.output_messages.0.message.role': 'assistant',
          ...(turn.text && { 'llm.output_messages.0.message.content': turn.text }),
          ...Object.assign(
            {},
            ...callsOf(turn).map(({ id, name, args }, n) => ({
              [`llm.output_messages.0.message.tool_calls.${n}.tool_call.id`]: id,
              [`llm.output_messages.0.message.tool_calls.${n}.tool_call.function.name`]: name,
              [`llm.output_messages.0.message.tool_calls.${n}.tool_call.function.arguments`]: json(args),
            })),
          ),
        }),
      },
    }),
    tool: (run) => ({
      name: run.name,
      ...raised(run.error, OK),
      attributes: {
        'openinference.span.kind': 'TOOL',
        'tool.name': run.name,
        'input.value': json(run.args),
        ...(run.result !== undefined && { 'output.value': run.result }),
        // LangGraph's ToolNode hands a message on.
        ...(run.said && {
          'output.value': json({ output: { content: run.said, status: 'error', tool_call_id: run.id, type: 'tool' } }),
        }),
      },
    }),
  },
  {
    name: 'OpenInference (LangChain, Gemini)',
    agent: () => ({
      name: 'LangGraph',
      status: OK,
      attributes: { 'openinference.span.kind': 'AGENT', 'session.id': 'conv-1', 'agent.name': 'helper' },
    }),
    chat: (turn) => ({
      name: 'ChatVertexAI',
      ...raised(turn.error, OK),
      attributes: {
        'openinference.span.kind': 'LLM',
        'llm.invocation_parameters': json({ model: MODEL }),
        ...answered(turn, {
          'llm.token_count.prompt': 100,
          'llm.token_count.completion': 20,
          'output.value': json({
            generations: [
              [
                {
                  text: turn.text ?? '',
                  generation_info: {
                    finish_reason: { stop: 'STOP', length: 'MAX_TOKENS', filter: 'SAFETY', tools: 'STOP' }[turn.end ?? 'stop'],
                  },
                  message: { lc: 1, id: ['AIMessage'], kwargs: { content: turn.text ?? '', tool_calls: callsOf(turn) } },
                },
              ],
            ],
            llm_output: null,
          }),
        }),
      },
    }),
    tool: (run) => ({
      name: run.name,
      ...raised(run.error, OK),
      attributes: {
        'openinference.span.kind': 'TOOL',
        'tool.name': run.name,
        'input.value': json(run.args),
        ...(run.result !== undefined && { 'output.value': run.result }),
        ...(run.said && { 'output.value': `content='${run.said}' name='${run.name}' tool_call_id='${run.id}' status='error'` }),
      },
    }),
  },
  {
    name: 'OpenLLMetry',
    agent: () => ({
      name: 'helper.agent',
      attributes: {
        'traceloop.span.kind': 'agent',
        'traceloop.entity.name': 'helper',
        'traceloop.association.properties.session_id': 'conv-1',
      },
    }),
    chat: (turn) => ({
      name: 'openai.chat',
      kind: 3,
      ...raised(turn.error),
      attributes: {
        'llm.request.type': 'chat',
        'gen_ai.system': 'OpenAI',
        'gen_ai.request.model': MODEL,
        ...answered(turn, {
          'gen_ai.usage.prompt_tokens': 100,
          'gen_ai.usage.completion_tokens': 20,
          'gen_ai.completion.0.role': 'assistant',
          'gen_ai.completion.0.finish_reason': reasonOf(turn),
          ...(turn.text && { 'gen_ai.completion.0.content': turn.text }),
          ...Object.assign(
            {},
            ...callsOf(turn).map(({ id, name, args }, n) => ({
              [`gen_ai.completion.0.tool_calls.${n}.id`]: id,
              [`gen_ai.completion.0.tool_calls.${n}.name`]: name,
              [`gen_ai.completion.0.tool_calls.${n}.arguments`]: json(args),
            })),
          ),
        }),
      },
    }),
    tool: (run) => ({
      name: `${run.name}.tool`,
      ...raised(run.error),
      attributes: {
        'traceloop.span.kind': 'tool',
        'traceloop.entity.name': run.name,
        'traceloop.entity.input': json(run.args),
        ...(run.result !== undefined && { 'traceloop.entity.output': run.result }),
        ...(run.said && {
          'error.type': 'tool_error',
          'traceloop.entity.output': json({ content: [{ type: 'text', text: run.said }] }),
        }),
      },
    }),
  },
  {
    name: 'Vercel AI SDK',
    agent: () => ({
      name: 'ai.generateText',
      attributes: {
        'ai.operationId': 'ai.generateText',
        'ai.telemetry.functionId': 'helper',
        'ai.telemetry.metadata.sessionId': 'conv-1',
      },
    }),
    chat: (turn) => ({
      name: 'ai.generateText.doGenerate',
      ...raised(turn.error),
      attributes: {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.id': MODEL,
        'ai.model.provider': 'openai.responses',
        ...answered(turn, {
          'ai.response.finishReason': { stop: 'stop', length: 'length', filter: 'content-filter', tools: 'tool-calls' }[
            turn.end ?? (callsOf(turn).length > 0 ? 'tools' : 'stop')
          ],
          'ai.response.text': turn.text ?? '',
          ...(callsOf(turn).length > 0 && {
            'ai.response.toolCalls': json(
              callsOf(turn).map(({ id, name, args }) => ({ toolCallId: id, toolName: name, input: args })),
            ),
          }),
          'ai.usage.promptTokens': 100,
          'ai.usage.completionTokens': 20,
        }),
      },
    }),
    tool: (run) => ({
      name: 'ai.toolCall',
      ...raised(run.error),
      attributes: {
        'ai.operationId': 'ai.toolCall',
        'ai.toolCall.name': run.name,
        'ai.toolCall.id': run.id,
        'ai.toolCall.args': json(run.args),
        ...(run.result !== undefined && { 'ai.toolCall.result': json(run.result) }),
        ...(run.said && { 'ai.toolCall.result': json({ isError: true, content: [{ type: 'text', text: run.said }] }) }),
      },
    }),
  },
]
