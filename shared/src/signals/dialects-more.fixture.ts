import type { OtlpValue } from '../otlp/model.ts'
import { type Call, type Dialect, type Failed, MODEL, type Run, type Turn } from './dialects.fixture.ts'

const ERROR = 2
const OK = 1
const json = (value: unknown): string => JSON.stringify(value)
const callsOf = (turn: Turn): Call[] => turn.calls ?? []
const endOf = (turn: Turn) => turn.end ?? (callsOf(turn).length > 0 ? 'tools' : 'stop')
const answered = (turn: Turn, attributes: Record<string, OtlpValue>) => (turn.error ? {} : attributes)
const exceptionOf = ({ type, message }: Failed) => ({
  name: 'exception',
  attributes: { 'exception.type': type, 'exception.message': message } as Record<string, OtlpValue>,
})

const toldBy = (run: Run) => run.said ?? run.result ?? run.error?.message

export const MORE_DIALECTS: readonly Dialect[] = [
  {
    name: 'LangSmith',
    agent: () => ({
      name: 'LangGraph',
      status: OK,
      attributes: {
        'langsmith.span.kind': 'chain',
        'gen_ai.operation.name': 'chain',
        'langsmith.metadata.thread_id': 'conv-1',
        'langsmith.trace.session_id': 'the-project',
      },
    }),
    chat: (turn) => ({
      name: 'ChatOpenAI',
      status: turn.error ? ERROR : OK,
      attributes: {
        'langsmith.span.kind': 'llm',
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'openai',
        'gen_ai.request.model': MODEL,
        ...answered(turn, {
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
          'gen_ai.completion': json({
            generations: [
              [
                {
                  text: turn.text ?? '',
                  generation_info: {
                    finish_reason: { stop: 'stop', length: 'length', filter: 'content_filter', tools: 'tool_calls' }[endOf(turn)],
                  },
                  message: { kwargs: { content: turn.text ?? '', tool_calls: callsOf(turn) } },
                },
              ],
            ],
          }),
        }),
      },
      ...(turn.error && { events: [exceptionOf({ type: 'Exception', message: `${turn.error.type}('${turn.error.message}')` })] }),
    }),
    tool: (run) => ({
      name: run.name,
      status: run.error ? ERROR : OK,
      attributes: {
        'langsmith.span.kind': 'tool',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': run.name,
        'gen_ai.prompt': json({ input: json(run.args) }),
        ...(!run.error && {
          'gen_ai.completion': json({
            output: { content: toldBy(run), type: 'tool', tool_call_id: run.id, status: run.said ? 'error' : 'success' },
          }),
        }),
      },
      ...(run.error && { events: [exceptionOf({ type: 'Exception', message: `${run.error.type}('${run.error.message}')` })] }),
    }),
  },
  {
    name: 'Pydantic AI (Logfire), its first format',
    agent: () => ({
      name: 'agent run',
      attributes: {
        agent_name: 'helper',
        model_name: MODEL,
        'gen_ai.usage.input_tokens': 300,
        'session.id': 'conv-1',
        'logfire.msg': 'helper run',
      },
    }),
    chat: (turn) => ({
      name: `chat ${MODEL}`,
      status: turn.error ? ERROR : 0,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'openai',
        'gen_ai.request.model': MODEL,
        ...answered(turn, {
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
          'gen_ai.response.finish_reasons': [
            { stop: 'stop', length: 'length', filter: 'content_filter', tools: 'tool_call' }[endOf(turn)],
          ],
          events: json([
            { 'event.name': 'gen_ai.user.message', content: 'hi', role: 'user' },
            {
              'event.name': 'gen_ai.choice',
              index: 0,
              message: {
                role: 'assistant',
                ...(turn.text !== undefined && { content: turn.text }),
                tool_calls: callsOf(turn).map(({ id, name, args }) => ({
                  id,
                  type: 'function',
                  function: { name, arguments: args },
                })),
              },
            },
          ]),
        }),
      },
      ...(turn.error && { events: [exceptionOf(turn.error)] }),
    }),
    tool: (run) => ({
      name: 'running tool',
      status: run.error ? ERROR : 0,
      attributes: {
        'gen_ai.tool.name': run.name,
        'gen_ai.tool.call.id': run.id,
        tool_arguments: json(run.args),
        'logfire.msg': `running tool: ${run.name}`,
        ...(toldBy(run) !== undefined && {
          tool_response: run.said ? json({ isError: true, content: [{ text: run.said }] }) : toldBy(run)!,
        }),
      },
      ...(run.error && { events: [exceptionOf(run.error)] }),
    }),
  },
  {
    name: 'Langfuse',
    agent: () => ({ name: 'helper', attributes: { 'langfuse.observation.type': 'agent', 'session.id': 'conv-1' } }),
    chat: (turn) => ({
      name: 'llm-call',
      attributes: {
        'langfuse.observation.type': 'generation',
        'langfuse.observation.model.name': MODEL,
        ...(turn.error
          ? {
              'langfuse.observation.level': 'ERROR',
              'langfuse.observation.status_message': `${turn.error.type}: ${turn.error.message}`,
            }
          : {
              'langfuse.observation.usage_details': json({ input: 100, output: 20, total: 120 }),
              'langfuse.observation.cost_details': json({ input: 0.001, output: 0.002, total: 0.003 }),
              'langfuse.observation.output': json({
                choices: [
                  {
                    finish_reason: { stop: 'stop', length: 'length', filter: 'content_filter', tools: 'tool_calls' }[endOf(turn)],
                    message: {
                      role: 'assistant',
                      content: turn.text ?? null,
                      tool_calls: callsOf(turn).map(({ id, name, args }) => ({ id, function: { name, arguments: json(args) } })),
                    },
                  },
                ],
              }),
            }),
      },
    }),
    tool: (run) => ({
      name: run.name,
      attributes: {
        'langfuse.observation.type': 'tool',
        'langfuse.observation.input': json(run.args),
        ...(toldBy(run) !== undefined && {
          'langfuse.observation.output': run.said ? json({ is_error: true, content: run.said }) : toldBy(run)!,
        }),
        ...(run.error && {
          'langfuse.observation.level': 'ERROR',
          'langfuse.observation.status_message': `${run.error.type}: ${run.error.message}`,
        }),
      },
    }),
  },
  {
    name: 'Haystack',
    agent: () => ({ name: 'haystack.agent.run', attributes: { 'haystack.agent.max_steps': 10, 'session.id': 'conv-1' } }),
    chat: (turn) => ({
      name: 'haystack.agent.step.llm',
      status: turn.error ? ERROR : 0,
      attributes: {
        'haystack.agent.step.llm.input': '{"messages":[]}',
        ...answered(turn, {
          'haystack.agent.step.llm.output': json({
            replies: [
              {
                role: 'assistant',
                meta: {
                  model: MODEL,
                  finish_reason: { stop: 'stop', length: 'length', filter: 'content_filter', tools: 'tool_calls' }[endOf(turn)],
                },
                content: [
                  ...(turn.text === undefined ? [] : [{ text: turn.text }]),
                  ...callsOf(turn).map(({ id, name, args }) => ({ tool_call: { id, tool_name: name, arguments: args } })),
                ],
              },
            ],
          }),
        }),
      },
      ...(turn.error && { events: [exceptionOf(turn.error)] }),
    }),
    tool: (run) => ({
      name: 'haystack.agent.step.tool',
      attributes: {
        'haystack.tool.name': run.name,
        'haystack.agent.step.tool.input': json(run.args),
        ...(run.error || run.said
          ? { 'haystack.tool.error': true, 'haystack.agent.step.tool.output': json({ error: run.said ?? run.error!.message }) }
          : { 'haystack.agent.step.tool.output': run.result ?? '' }),
      },
    }),
  },
  {
    name: "Google's ADK",
    agent: () => ({
      name: 'invoke_agent helper',
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper', 'gen_ai.conversation.id': 'conv-1' },
    }),
    chat: (turn) => ({
      name: 'call_llm',
      status: turn.error ? ERROR : 0,
      attributes: {
        'gen_ai.system': 'gcp.vertex.agent',
        'gen_ai.request.model': MODEL,
        'gcp.vertex.agent.session_id': 'conv-1',
        ...answered(turn, {
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
          'gen_ai.response.finish_reasons': [
            { stop: 'stop', length: 'max_tokens', filter: 'safety', tools: 'stop' }[endOf(turn)],
          ],
          'gcp.vertex.agent.llm_response': json({
            content: {
              role: 'model',
              parts: [
                ...(turn.text === undefined ? [] : [{ text: turn.text }]),
                ...callsOf(turn).map(({ id, name, args }) => ({ function_call: { id, name, args } })),
              ],
            },
            partial: false,
          }),
        }),
      },
      ...(turn.error && { events: [exceptionOf(turn.error)] }),
    }),
    tool: (run) => ({
      name: `execute_tool ${run.name}`,
      status: run.error || run.said ? ERROR : 0,
      message: run.error?.type ?? (run.said ? 'MCP_TOOL_ERROR' : ''),
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': run.name,
        'gen_ai.tool.call.id': run.id,
        'gcp.vertex.agent.llm_request': '{}',
        'gcp.vertex.agent.llm_response': '{}',
        'gcp.vertex.agent.tool_call_args': json(run.args),
        'gcp.vertex.agent.tool_response': json({ result: toldBy(run) ?? '' }),
        ...(run.error ? { 'error.type': run.error.type } : run.said ? { 'error.type': 'MCP_TOOL_ERROR' } : {}),
      },
      ...(run.error && { events: [exceptionOf(run.error)] }),
    }),
  },
  {
    name: 'Strands',
    agent: () => ({
      name: 'invoke_agent helper',
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': 'helper',
        'gen_ai.system': 'strands-agents',
        'session.id': 'conv-1',
      },
    }),
    chat: (turn) => ({
      name: 'chat',
      kind: 3,
      status: turn.error ? ERROR : OK,
      message: turn.error?.message ?? '',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'strands-agents',
        'gen_ai.request.model': MODEL,
        ...answered(turn, { 'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 20 }),
      },
      events: turn.error
        ? [exceptionOf(turn.error)]
        : [
            {
              name: 'gen_ai.choice',
              attributes: {
                finish_reason: { stop: 'end_turn', length: 'max_tokens', filter: 'content_filtered', tools: 'tool_use' }[
                  endOf(turn)
                ],
                message: json([
                  ...(turn.text === undefined ? [] : [{ text: turn.text }]),
                  ...callsOf(turn).map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } })),
                ]),
              },
            },
          ],
    }),
    tool: (run) => ({
      name: `execute_tool ${run.name}`,
      status: run.error ? ERROR : OK,
      message: run.error?.message ?? '',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.system': 'strands-agents',
        'gen_ai.tool.name': run.name,
        'gen_ai.tool.call.id': run.id,
        'tool.status': run.error || run.said ? 'error' : 'success',
      },
      events: [
        { name: 'gen_ai.tool.message', attributes: { role: 'tool', content: json(run.args), id: run.id } },
        { name: 'gen_ai.choice', attributes: { message: json([{ text: toldBy(run) ?? '' }]), id: run.id } },
        ...(run.error ? [exceptionOf(run.error)] : []),
      ],
    }),
  },
  {
    name: 'Semantic Kernel',
    agent: () => ({
      name: 'invoke_agent helper',
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'helper', 'session.id': 'conv-1' },
    }),
    chat: (turn) => ({
      name: `chat.completions ${MODEL}`,
      status: turn.error ? ERROR : 0,
      message: turn.error ? `${turn.error.type}('${turn.error.message}')` : '',
      attributes: {
        'gen_ai.operation.name': 'chat.completions',
        'gen_ai.system': 'openai',
        'gen_ai.request.model': MODEL,
        ...(turn.error && { 'error.type': `<class 'openai.${turn.error.type}'>` }),
        ...answered(turn, {
          'gen_ai.response.finish_reason': {
            stop: 'FinishReason.STOP',
            length: 'FinishReason.LENGTH',
            filter: 'FinishReason.CONTENT_FILTER',
            tools: 'FinishReason.TOOL_CALLS',
          }[endOf(turn)],
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
        }),
      },
    }),
    tool: (run) => ({
      name: `execute_tool ${run.name}`,
      status: run.error ? ERROR : 0,
      message: run.error?.message ?? '',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': run.name,
        'gen_ai.tool.call.id': run.id,
        'gen_ai.tool.call.arguments': json(run.args),
        ...(run.result !== undefined && { 'gen_ai.tool.call.result': run.result }),
        ...(run.said && { 'gen_ai.tool.call.result': `Error: ${run.said}` }),
        ...(run.error && { 'error.type': run.error.type }),
      },
      ...(run.error && { events: [exceptionOf(run.error)] }),
    }),
    // Its answers go to the log, and only where contents are asked for.
    silent: ['empty_output', 'orphan_tool_call'],
  },
  {
    name: 'Claude Code',
    agent: () => ({ name: 'claude_code.interaction', attributes: { 'session.id': 'conv-1', 'span.type': 'interaction' } }),
    chat: (turn) => ({
      name: 'claude_code.llm_request',
      attributes: {
        model: MODEL,
        success: !turn.error,
        ...(turn.error
          ? { error: `${turn.error.type}: ${turn.error.message}` }
          : {
              input_tokens: 100,
              output_tokens: 20,
              stop_reason: { stop: 'end_turn', length: 'max_tokens', filter: 'refusal', tools: 'tool_use' }[endOf(turn)],
            }),
      },
    }),
    tool: (run) => ({
      name: 'claude_code.tool',
      attributes: {
        tool_name: run.name,
        success: run.error || run.said ? 'false' : 'true',
        ...((run.error ?? run.said) && { error: run.said ?? `${run.error!.type}: ${run.error!.message}` }),
      },
    }),
    silent: ['empty_output', 'orphan_tool_call', 'repeated_step'],
  },
]
