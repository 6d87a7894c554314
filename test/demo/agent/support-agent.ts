import type { Agent } from 'node:http'
import { type Attributes, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { CallError, callTraced, send } from '../http-client.ts'
import { FAULT_HEADER } from '../http-service.ts'
import { intBetween, pick, type Random } from '../random.ts'
import { traceparentOf } from '../trace-context.ts'
import type { McpResult } from './mcp-server.ts'
import { FORGOTTEN_TOOL, type ModelReply, type ModelRequest } from './model-server.ts'

export interface SupportAgentDeps {
  tracer: Tracer
  agent: Agent
  modelUrl: string
  mcpUrl: string
  shopUrl: string
}

export interface Turn {
  conversationId: string
  faultId: string | null
  random: Random
}

interface Run extends SupportAgentDeps, Turn {
  tool: string
  arguments: Record<string, unknown>
}

const MODEL = 'atlas-small'
const MODEL_ATTEMPTS = 2
const LOCAL_TOOLS = ['refund_order', 'search_faq', 'order_state'] as const
const MCP_TOOLS = ['lookup_order', 'create_ticket'] as const
/** The tool a fault lives in; other faults strike with any tool. */
const TOOL_OF_FAULT: Record<string, string> = {
  'refund-captured': 'refund_order',
  'mcp-lookup': 'lookup_order',
  'mcp-ticket': 'create_ticket',
  'agent-repeats': 'search_faq',
}
const REPEATS = 4

class RefundError extends Error {
  override readonly name = 'RefundError'
}

/** One turn of a conversation: asks the model, calls a tool, asks again. Never rejects: a failed run apologises. */
export function answerCustomer(deps: SupportAgentDeps, turn: Turn): Promise<void> {
  const tool = TOOL_OF_FAULT[turn.faultId ?? ''] ?? pick(turn.random, [...LOCAL_TOOLS, ...MCP_TOOLS])
  const run: Run = { ...deps, ...turn, tool, arguments: { order_id: intBetween(turn.random, 10_000, 99_999) } }
  const attributes = {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.provider.name': 'atlas',
    'gen_ai.agent.name': 'support',
    'gen_ai.conversation.id': turn.conversationId,
    'gen_ai.request.model': MODEL,
    'user.id': `u-${intBetween(turn.random, 1, 400)}`,
  }
  return deps.tracer.startActiveSpan('invoke_agent support', { kind: SpanKind.INTERNAL, attributes }, async (span) => {
    try {
      await converse(run)
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: `run of ${turn.conversationId} failed: ${(error as Error).message}` })
    } finally {
      span.end()
    }
  })
}

async function converse(run: Run): Promise<void> {
  const messages = [{ role: 'user', content: 'Where is my order? The page said "error".' }]
  const plan = await chatWithRetry(run, messages)
  const repeats = run.faultId === 'agent-repeats' ? REPEATS : 1
  for (let count = 0; count < repeats; count++) {
    for (const call of plan.tool_calls) {
      if (call.name !== FORGOTTEN_TOOL) messages.push({ role: 'tool', content: await callTool(run, call.id) })
    }
  }
  await chatWithRetry(run, messages)
}

async function chatWithRetry(run: Run, messages: ModelRequest['messages']): Promise<ModelReply> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await chat(run, messages)
    } catch (error) {
      const worthwhile = error instanceof CallError && error.status === 429
      if (!worthwhile || attempt === MODEL_ATTEMPTS) throw error
    }
  }
}

/** The model call is one CLIENT span with the GenAI attributes, as an SDK instrumentation makes it. */
function chat(run: Run, messages: ModelRequest['messages']): Promise<ModelReply> {
  const { tracer, agent, modelUrl, conversationId, faultId, tool } = run
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'atlas',
    'gen_ai.request.model': MODEL,
    'gen_ai.conversation.id': conversationId,
    'gen_ai.input.messages': JSON.stringify(messages.map(({ role, content }) => ({ role, parts: [{ type: 'text', content }] }))),
    'server.address': 'models.example',
  }
  return tracer.startActiveSpan(`chat ${MODEL}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      const body: ModelRequest = {
        model: MODEL,
        messages,
        script: { tool, arguments: run.arguments, runKey: span.spanContext().traceId },
      }
      const { status, body: reply } = await send(
        agent,
        {
          method: 'POST',
          baseUrl: modelUrl,
          host: 'models.example',
          path: '/v1/chat',
          template: '/v1/chat',
          body,
          headers: faultHeader(faultId),
        },
        traceparentOf(span),
      )
      span.setAttribute('http.response.status_code', status)
      if (status >= 400) throw refused(span, status, reply)
      span.setAttributes(replyAttributes(reply as unknown as ModelReply))
      return reply as unknown as ModelReply
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      throw error
    } finally {
      span.end()
    }
  })
}

function refused(span: Span, status: number, reply: Record<string, unknown>): CallError {
  const { message, type } = reply.error as { message: string; type: string }
  span.setAttribute('error.type', type)
  return new CallError(message, status)
}

function replyAttributes(reply: ModelReply): Attributes {
  const parts = [
    ...(reply.content ? [{ type: 'text', content: reply.content }] : []),
    ...reply.tool_calls.map(({ id, name, arguments: given }) => ({ type: 'tool_call', id, name, arguments: given })),
  ]
  return {
    'gen_ai.response.id': reply.id,
    'gen_ai.response.model': reply.model,
    'gen_ai.response.finish_reasons': [reply.finish_reason],
    'gen_ai.usage.input_tokens': reply.usage.input_tokens,
    'gen_ai.usage.output_tokens': reply.usage.output_tokens,
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts, finish_reason: reply.finish_reason }]),
  }
}

function callTool(run: Run, callId: string): Promise<string> {
  const overMcp = (MCP_TOOLS as readonly string[]).includes(run.tool)
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': run.tool,
    'gen_ai.tool.call.id': callId,
    'gen_ai.tool.call.arguments': JSON.stringify(run.arguments),
    'gen_ai.conversation.id': run.conversationId,
  }
  return overMcp ? callMcpTool(run, attributes) : callLocalTool(run, attributes)
}

function callLocalTool(run: Run, attributes: Attributes): Promise<string> {
  const { tracer, tool, faultId, random } = run
  return tracer.startActiveSpan(
    `execute_tool ${tool}`,
    { attributes: { ...attributes, 'gen_ai.tool.type': 'function' } },
    async (span) => {
      try {
        if (faultId === 'refund-captured')
          throw new RefundError(
            `refund of order ${run.arguments.order_id} exceeds its captured amount ${intBetween(random, 5, 90)}.50`,
          )
        const result = tool === 'order_state' ? await readOrder(run) : `${tool}: done, no error, no timeout`
        span.setAttribute('gen_ai.tool.call.result', result)
        return result
      } catch (error) {
        // The model is told; the run goes on.
        span.recordException(error as Error)
        span.setAttribute('error.type', (error as Error).name)
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
        return `Error: ${(error as Error).message}`
      } finally {
        span.end()
      }
    },
  )
}

async function readOrder({ tracer, agent, shopUrl, arguments: given }: Run): Promise<string> {
  const path = `/orders/${given.order_id}`
  const { body } = await callTraced(tracer, agent, {
    method: 'GET',
    baseUrl: shopUrl,
    host: 'api.shop.example',
    path,
    template: '/orders/{id}',
  })
  return JSON.stringify(body)
}

/** One MCP client span; a result with isError marks it as the MCP conventions ask, or only by its content. */
function callMcpTool(run: Run, attributes: Attributes): Promise<string> {
  const { tracer, agent, mcpUrl, tool, faultId, conversationId } = run
  const mcp = {
    'mcp.method.name': 'tools/call',
    'mcp.session.id': `mcp-${conversationId}`,
    'mcp.protocol.version': '2025-06-18',
    'network.transport': 'tcp',
  }
  return tracer.startActiveSpan(
    `tools/call ${tool}`,
    { kind: SpanKind.CLIENT, attributes: { ...attributes, ...mcp } },
    async (span) => {
      const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: run.arguments } }
      const { body } = await send(
        agent,
        {
          method: 'POST',
          baseUrl: mcpUrl,
          host: 'tools.example',
          path: '/mcp',
          template: '/mcp',
          body: request,
          headers: faultHeader(faultId),
        },
        traceparentOf(span),
      )
      const result = body.result as unknown as McpResult
      span.setAttribute('gen_ai.tool.call.result', JSON.stringify(result))
      // Half of the instrumentations in the field leave the status alone: the result says it.
      if (result.isError && tool === 'create_ticket') {
        span.setAttribute('error.type', 'tool_error')
        span.setStatus({ code: SpanStatusCode.ERROR, message: result.content[0]?.text })
      }
      span.end()
      return result.content[0]?.text ?? ''
    },
  )
}

const faultHeader = (faultId: string | null): Record<string, string> => (faultId ? { [FAULT_HEADER]: faultId } : {})
