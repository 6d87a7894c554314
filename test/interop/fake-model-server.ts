import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The model that answers says its full name, as OpenAI's do. */
const ANSWERING_MODEL = 'gpt-4o-mini-2024-07-18'
/** What every answer that carries usage says it cost. */
export const USAGE = { input: 25, output: 9, total: 34, cache_read: 4, reasoning: 2 }

/** Longer than the client waits. */
const SILENCE_MS = 2_000
/** Lets a broken stream's first chunks reach the client. */
const FLUSH_MS = 50

const CHAT_USAGE = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.total,
  prompt_tokens_details: { cached_tokens: USAGE.cache_read },
  completion_tokens_details: { reasoning_tokens: USAGE.reasoning },
}

export interface FakeModelServer {
  /** The client's base URL. */
  url: string
  close(): Promise<void>
}

/** Speaks OpenAI's HTTP interface as far as the client in test/interop/python asks; the header `x-case` chooses how it goes. */
export async function startFakeModelServer(): Promise<FakeModelServer> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const CASES: Record<string, (response: ServerResponse) => void> = {
  stream: (response) => stream(response, STREAM),
  broken_stream: (response) => stream(response, STREAM.slice(0, 2)),
  tool_call: (response) => send(response, 200, completion('tool_calls', { content: null, tool_calls: [TOOL_CALL] })),
  cut_off: (response) => send(response, 200, completion('length', { content: 'Es wird heute in Köln sehr' })),
  responses: (response) => send(response, 200, RESPONSE),
  embeddings: (response) => send(response, 200, EMBEDDINGS),
  rate_limited: (response) => refuse(response, 429),
  server_error: (response) => refuse(response, 500),
  timeout: (response) => void setTimeout(() => send(response, 200, ANSWER), SILENCE_MS).unref(),
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const name = String(request.headers['x-case'])
  // The client itself says that it tries again.
  if (name === 'retried' && request.headers['x-stainless-retry-count'] === '0') refuse(response, 429)
  else if (CASES[name]) CASES[name](response)
  else send(response, 200, ANSWER)
}

const TOOL_CALL = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Köln"}' } }

const completion = (finishReason: string, message: object) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_781_856_000,
  model: ANSWERING_MODEL,
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason, logprobs: null }],
  usage: CHAT_USAGE,
})

const ANSWER = completion('stop', { content: 'Regen. ☔' })

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_781_856_000,
  status: 'completed',
  model: ANSWERING_MODEL,
  output: [
    {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Regen.', annotations: [] }],
    },
  ],
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  usage: {
    input_tokens: USAGE.input,
    input_tokens_details: { cached_tokens: USAGE.cache_read },
    output_tokens: USAGE.output,
    output_tokens_details: { reasoning_tokens: USAGE.reasoning },
    total_tokens: USAGE.total,
  },
}

const EMBEDDINGS = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2, 0.3] }],
  usage: { prompt_tokens: USAGE.input, total_tokens: USAGE.input },
}

const REFUSALS = {
  429: { type: 'requests', code: 'rate_limit_exceeded', message: 'Rate limit reached for gpt-4o-mini: limit 3, used 3' },
  500: { type: 'server_error', code: null, message: 'The server had an error while processing your request' },
}

function refuse(response: ServerResponse, status: keyof typeof REFUSALS): void {
  response.setHeader('retry-after-ms', '10')
  send(response, status, { error: REFUSALS[status] })
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const chunk = (choices: object[], usage: object | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_781_856_000,
  model: ANSWERING_MODEL,
  choices,
  usage,
})

/** Two words, the reason it ended, the usage. */
const STREAM = [
  chunk([{ index: 0, delta: { role: 'assistant', content: 'Es ' }, finish_reason: null }]),
  chunk([{ index: 0, delta: { content: 'regnet.' }, finish_reason: null }]),
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  chunk([], CHAT_USAGE),
]

/** A stream that is not whole ends with its connection. */
function stream(response: ServerResponse, chunks: object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const one of chunks) response.write(`data: ${JSON.stringify(one)}\n\n`)
  setTimeout(() => (chunks === STREAM ? response.end('data: [DONE]\n\n') : response.destroy()), FLUSH_MS)
}
