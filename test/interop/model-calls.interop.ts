import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callApi } from '../harness/http.ts'
import { type RecordJson, readAll } from '../harness/reading.ts'
import { type Product, type ProjectKeys, startProduct } from '../harness/start-product.ts'
import { type FakeModelServer, startFakeModelServer, USAGE } from './fake-model-server.ts'
import { preparePython } from './source-programs.ts'
import { describeWith, run, sources } from './toolchain.ts'

const MINUTE_MS = 60_000

interface ViewedRecord extends RecordJson {
  model: string | null
  tokens: Record<string, number | null>
  derived_from: Record<string, string>
}

interface SessionSummary {
  session_id: string
  tokens: { input: number; output: number; total: number }
}

interface Said {
  traceId: string
  seen: string
  session: string
}

describeWith(['python'], 'public instrumentations of the openai client', () => {
  let product: Product
  let python: string
  let models: FakeModelServer
  beforeAll(async () => {
    python = await preparePython()
    models = await startFakeModelServer()
    product = await startProduct()
  }, 15 * MINUTE_MS)
  afterAll(async () => {
    await product?.stop()
    await models?.close()
  })

  describe.each(['openllmetry', 'openinference'])('%s', (instrumentation) => {
    let keys: ProjectKeys
    let said: Record<string, Said>

    beforeAll(async () => {
      keys = await product.provision(instrumentation)
      const printed = await run({
        command: python,
        args: [join(sources, 'python', 'call_models.py'), instrumentation, models.url],
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: product.otlpUrl,
          OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer ${keys.producer_key}`,
          OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        },
      })
      said = JSON.parse(printed.trim().split('\n').at(-1) ?? '')
    }, MINUTE_MS)

    const readCase = (name: string) =>
      readAll<ViewedRecord>(`${product.analyzerUrl}/v1/sessions/${said[name]?.traceId}`, keys.agent_key)
    const readModelCall = async (name: string) => {
      const [call, ...others] = (await readCase(name)).filter(({ operation }) => /^(chat|embeddings)/.test(operation))
      expect(others).toEqual([])
      return call
    }

    test.each(['chat', 'stream', 'tool_call', 'cut_off', 'retried', 'responses'])(
      '%s: model, tokens, session and operation come out right, and no signal',
      async (name) => {
        const call = await readModelCall(name)
        expect(said[name]?.seen).toBe('ok')
        expect(call).toMatchObject({
          operation: 'chat',
          model: expect.stringMatching(/^gpt-4o-mini(-2024-07-18)?$/),
          session_id: said[name]?.session,
          signal_type: null,
          tokens: { input: USAGE.input, output: USAGE.output, total: USAGE.total, cache_read: USAGE.cache_read },
        })
        // OpenLLMetry does not send the reasoning tokens of a stream.
        expect([USAGE.reasoning, name === 'stream' ? null : USAGE.reasoning]).toContain(call?.tokens.reasoning)
      },
    )

    test.each([
      ['chat', 'stop'],
      ['stream', 'stop'],
      ['tool_call', /^tool_calls?$/],
      ['cut_off', 'length'],
    ])('%s: the finish reason is known by where it was read', async (name, reason) => {
      const call = await readModelCall(name)
      const said = call?.attributes[call.derived_from.finish_reasons ?? '']
      expect([said].flat()).toEqual([expect.stringMatching(reason)])
    })

    test('a tool that ran is named', async () => {
      const tools = (await readCase('tool_call')).filter(({ tool }) => tool !== null)
      expect(tools).toMatchObject([{ tool: 'get_weather', operation: 'execute_tool get_weather', signal_type: null }])
    })

    test('embeddings have their model and their tokens', async () => {
      expect(await readModelCall('embeddings')).toMatchObject({
        operation: 'embeddings',
        model: 'text-embedding-3-small',
        tokens: { input: USAGE.input, total: USAGE.input, output: null },
        signal_type: null,
      })
    })

    test.each([
      ['rate_limited', 'RateLimitError', 'rate_limited'],
      ['server_error', 'InternalServerError', 'llm_error'],
      ['timeout', 'APITimeoutError', 'timeout'],
    ])('%s: %s is %s, with the model that was asked', async (name, seen, signal) => {
      expect(said[name]?.seen).toBe(seen)
      expect(await readModelCall(name)).toMatchObject({
        signal_type: signal,
        model: 'gpt-4o-mini',
        session_id: said[name]?.session,
        tokens: { input: null, output: null, total: null },
      })
      const failing = (await readCase(name)).filter(({ signal_type }) => signal_type !== null)
      expect(failing).toHaveLength(1)
    })

    test('a stream that broke is a failed call, where the instrumentation says so', async () => {
      expect(said.broken_stream?.seen).toBe('APIConnectionError')
      const call = await readModelCall('broken_stream')
      // OpenLLMetry 0.62.4 ends such a span with status OK and without a word.
      expect(call?.signal_type).toBe(instrumentation === 'openllmetry' ? null : 'llm_error')
    })

    test('a session counts the tokens of its one call once', async () => {
      const sessions = await readAll<SessionSummary>(`${product.analyzerUrl}/v1/sessions?since_minutes=60`, keys.agent_key)
      const ofChat = sessions.filter(({ session_id }) => session_id === said.chat?.session)
      expect(ofChat).toMatchObject([{ tokens: { input: USAGE.input, output: USAGE.output, total: USAGE.total } }])
    })

    test('a diagnosis has one pain for each kind of failure', async () => {
      const { text } = await callApi(`${product.analyzerUrl}/v1/runs/diagnose`, {
        key: keys.agent_key,
        json: { since_minutes: 60 },
      })
      const { packet }: { packet: { issues: { signal_type: string; count: number }[] } } = JSON.parse(text)
      for (const signal of ['rate_limited', 'timeout'])
        expect(packet.issues.filter(({ signal_type }) => signal_type === signal)).toMatchObject([{ count: 1 }])
    })
  })
})
