import { FAULT_HEADER, type Listening, listen, text } from '../http-service.ts'
import { intBetween, mulberry32, pick, type Random, seedOf } from '../random.ts'

export interface ToolCall {
  id: string
  name: string
  arguments: Record<string, unknown>
}

/** What the agent asks for: an OpenAI-like request, and the tool the script wants called first. */
export interface ModelRequest {
  model: string
  messages: { role: string; content: string }[]
  script: { tool: string; arguments: Record<string, unknown>; runKey: string }
}

export interface ModelReply {
  id: string
  model: string
  content: string
  tool_calls: ToolCall[]
  finish_reason: 'stop' | 'tool_calls' | 'length' | 'content_filter'
  usage: { input_tokens: number; output_tokens: number }
}

interface Refusal {
  status: number
  message: (random: Random, model: string) => string
  type: string
}

const REFUSALS: Record<string, Refusal> = {
  'model-500': {
    status: 500,
    type: 'server_error',
    message: (random) => `The server had an error while processing your request req_${intBetween(random, 1e6, 9e6).toString(16)}`,
  },
  'model-context': {
    status: 400,
    type: 'context_length_exceeded',
    message: (random) =>
      `This model's maximum context length is 8192 tokens, but ${intBetween(random, 8_200, 19_000)} were requested`,
  },
  'model-429': {
    status: 429,
    type: 'rate_limit_exceeded',
    message: (random, model) =>
      `Rate limit reached for ${model} in organization org-${intBetween(random, 1e6, 9e6).toString(16)}: used 60 of 60`,
  },
  'model-forbidden': {
    status: 403,
    type: 'permission_denied',
    message: (random, model) => `Project proj_${intBetween(random, 1_000, 9_999)} does not have access to model ${model}`,
  },
}

const ANSWERS = [
  'Your parcel is on its way; the earlier error message was only a delay of the page.',
  'A timeout of the session is normal after 30 minutes, nothing is lost.',
  'The refund was sent today. If it has failed to arrive by Friday, write again.',
  'No exception applies here: returns are free for 30 days.',
] as const

/** What is left of an answer that was cut at its limit. */
const CUT_CHARACTERS = 30
/** Asked for beside the scripted tool; the agent that forgets never runs it. */
export const FORGOTTEN_TOOL = 'notify_customer'

/** What the agent that hoards sends along with every call, again and again. */
const HOARDED_TOKENS = 60_000

const END_OF_FAULT: Record<string, ModelReply['finish_reason']> = { 'agent-cut': 'length', 'agent-refuses': 'content_filter' }

/** A model provider that answers by script: real HTTP, no model. */
export function startModelServer(): Promise<Listening> {
  const limitedOnce = new Set<string>()
  return listen(async (request, response) => {
    const body = JSON.parse(await text(request)) as ModelRequest
    const fault = request.headers[FAULT_HEADER] as string | undefined
    const random = mulberry32(seedOf(`${request.headers.traceparent}`))
    const refusal = refusalFor(fault, body, limitedOnce)
    const status = refusal?.status ?? 200
    const reply = refusal
      ? { error: { message: refusal.message(random, body.model), type: refusal.type } }
      : complete(body, fault, random)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply))
  })
}

/** A rate limit passes when the same run asks again. */
function refusalFor(fault: string | undefined, { script }: ModelRequest, limitedOnce: Set<string>): Refusal | null {
  const refusal = fault ? REFUSALS[fault] : undefined
  if (!refusal) return null
  if (refusal.status === 429 && limitedOnce.has(script.runKey)) return null
  limitedOnce.add(script.runKey)
  return refusal
}

function complete({ model, messages, script }: ModelRequest, fault: string | undefined, random: Random): ModelReply {
  const wantsTool = messages.at(-1)?.role === 'user'
  const answer = wantsTool || fault === 'agent-empty' || fault === 'agent-refuses' ? '' : pick(random, ANSWERS)
  const content = fault === 'agent-cut' ? answer.slice(0, CUT_CHARACTERS) : answer
  const newCall = (name: string) => ({
    id: `call_${intBetween(random, 1e6, 9e6).toString(16)}`,
    name,
    arguments: script.arguments,
  })
  const calls = [newCall(script.tool), ...(fault === 'agent-forgets' ? [newCall(FORGOTTEN_TOOL)] : [])]
  return {
    id: `resp_${intBetween(random, 1e6, 9e6).toString(16)}`,
    model: `${model}-2026-09`,
    content,
    tool_calls: wantsTool ? calls : [],
    finish_reason: wantsTool ? 'tool_calls' : (END_OF_FAULT[fault ?? ''] ?? 'stop'),
    usage: {
      input_tokens: 200 + messages.length * intBetween(random, 40, 90) + (fault === 'agent-hoards' ? HOARDED_TOKENS : 0),
      output_tokens: (20 + content.length / 4) | 0,
    },
  }
}
