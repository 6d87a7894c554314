import { afterEach, describe, expect, test } from '@jest/globals'
import { toHex } from '@loopkit/shared/otlp/ids'
import {
  addKey,
  addProject,
  KEY,
  type SpanSpec,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  type TestCollectorOptions,
  traceIdOf,
  traceJson,
  until,
} from './collector.fixture.ts'

const running: TestCollector[] = []

async function start(options?: TestCollectorOptions): Promise<TestCollector> {
  const collector = await startTestCollector(options)
  running.push(collector)
  return collector
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((collector) => collector.stop()))
})

const span = (trace: number, id: number, more: Partial<SpanSpec> = {}): SpanSpec => ({
  traceId: traceIdOf(trace),
  spanId: spanIdOf(id),
  ...more,
})
const accepted = (collector: TestCollector, projectNo = 1) =>
  Number(collector.rows('select spans from accepted where project_no = ?', projectNo)[0]?.spans ?? 0)
const ledger = (collector: TestCollector) =>
  Object.fromEntries(
    collector.rows('select what, sum(count) as n from ledger group by what').map(({ what, n }) => [what, Number(n)]),
  )
const runs = (collector: TestCollector) => Number(collector.rows('select sum(runs) as n from run_count')[0]?.n ?? 0)
const names = (collector: TestCollector, trace: number) =>
  collector
    .trace(traceIdOf(trace))
    .map(({ ctx }) => ctx.span.name)
    .sort()

describe('what is stored', () => {
  test('the quickstart span, found again by the text that was sent', async () => {
    const collector = await start()
    const body =
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"trace_1","spanId":"span_1","name":"tool_call_failed","startTimeUnixNano":"1781856000000000000","status":{"code":2,"message":"tool failed"}}]}]}]}'
    expect((await collector.send(body)).body.toString()).toBe('{}')
    const failure = await until('the decision', () => collector.rows('select * from failure')[0] ?? null)
    const stored = collector.trace(toHex(failure.trace_id as Uint8Array))
    expect(stored).toHaveLength(1)
    expect(stored[0]!.ctx.span.attributes.get('loopkit.original_trace_id')).toBe('trace_1')
  })

  test('a bad span is refused alone, its neighbours are stored, and the answer says so', async () => {
    const collector = await start()
    const answer = await collector.send(
      traceJson([span(1, 1), { ...span(1, 2), traceId: '0'.repeat(32) }, span(1, 3), { ...span(1, 4), spanId: '' }]),
    )
    expect([answer.status, answer.json()]).toEqual([
      200,
      { partialSuccess: { rejectedSpans: '2', errorMessage: 'trace_id_zero: 1; span_id_empty: 1' } },
    ])
    expect(collector.trace(traceIdOf(1))).toHaveLength(2)
    expect(ledger(collector)).toEqual({ accepted: 2, 'rejected:trace_id_zero': 1, 'rejected:span_id_empty': 1 })
  })

  test('the same trace id in two projects is two traces', async () => {
    const collector = await start()
    addKey(collector.control, { key: 'other', projectNo: addProject(collector.control, { name: 'other' }) })
    await collector.send(traceJson([span(1, 1, { name: 'mine' })]))
    await collector.send(traceJson([span(1, 1, { name: 'theirs' })]), { key: 'other' })
    expect(collector.trace(traceIdOf(1), 1).map(({ ctx }) => ctx.span.name)).toEqual(['mine'])
    expect(collector.trace(traceIdOf(1), 2).map(({ ctx }) => ctx.span.name)).toEqual(['theirs'])
    expect([accepted(collector, 1), accepted(collector, 2)]).toEqual([1, 1])
  })

  test('times beyond 2^63 are stored as sent and hurt nobody', async () => {
    const collector = await start()
    const beyond = '18446744073709551615'
    expect((await collector.send(traceJson([span(1, 1, { start: beyond, end: beyond }), span(1, 2)]))).status).toBe(200)
    const stored = collector.trace(traceIdOf(1))
    expect(stored.map(({ ctx }) => ctx.span.endUnixNano).sort()).toEqual([1700000000500000000n, 18446744073709551615n])
  })

  test('one body may hold 200,000 spans', async () => {
    const collector = await start()
    const spans = Array.from(
      { length: 200_000 },
      (_, n) => `{"traceId":"${traceIdOf(1 + (n >> 3))}","spanId":"${spanIdOf(n + 1)}"}`,
    )
    const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join(',')}]}]}]}`
    expect((await collector.send(body)).body.toString()).toBe('{}')
    expect(accepted(collector)).toBe(200_000)
    expect((await collector.send(body)).body.toString()).toBe('{}')
    expect(accepted(collector)).toBe(200_000)
  })

  test('runs, releases, operations and keys in use are counted with the commit', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1, { name: 'a' }), span(1, 2, { name: 'a' }), span(2, 3, { name: 'b' })]))
    expect(
      collector.rows('select operation, runs from run_count join operation using (operation_no) order by operation'),
    ).toMatchObject([
      { operation: 'a', runs: 2n },
      { operation: 'b', runs: 1n },
    ])
    expect(collector.rows('select * from key_use')).toHaveLength(1)
  })
})

describe('a span sent twice is stored once', () => {
  test('in one body, in two, at once, and after a restart', async () => {
    const collector = await start()
    const body = traceJson([span(1, 1), span(1, 2), span(1, 1)])
    const answers = await Promise.all([collector.send(body), collector.send(body), collector.send(body)])
    expect(answers.map(({ body: text }) => text.toString())).toEqual(['{}', '{}', '{}'])
    await collector.send(traceJson([span(1, 2), span(1, 3)]))
    await collector.restart()
    await collector.send(traceJson([span(1, 1), span(1, 3), span(1, 4), span(2, 1)]))
    expect(accepted(collector)).toBe(5)
    expect(runs(collector)).toBe(5)
    expect(collector.trace(traceIdOf(1))).toHaveLength(4)
    expect(Number(collector.rows('select sum(records) as n from segment')[0]!.n)).toBe(5)
    await collector.restart()
    expect(ledger(collector)).toEqual({ accepted: 5, deduplicated: 10 })
  })

  test.each([
    ['in one body', async () => {}, true],
    ['in two bodies', async () => {}, false],
    ['after a restart', (collector: TestCollector) => collector.restart(), false],
  ] as const)('%s: an ended span replaces one that had not ended, and uses no quota', async (_, between, together) => {
    const collector = await start({ quotaSpans: 1 })
    const early = span(1, 1, { name: 'running', end: '' })
    const late = span(1, 1, { name: 'done' })
    if (together) await collector.send(traceJson([early, late]))
    else {
      await collector.send(traceJson([early]))
      await between(collector)
      await collector.send(traceJson([late]))
    }
    // Neither the unended version nor another ended one comes back.
    await collector.send(traceJson([early]))
    await collector.send(traceJson([span(1, 1, { name: 'other' })]))
    expect(names(collector, 1)).toEqual(['done'])
    expect([accepted(collector), runs(collector)]).toEqual([1, 1])
    await collector.restart()
    expect(ledger(collector)).toMatchObject({ accepted: 1, replaced: 1, conflict: 2 })
  })

  test('of two different ended spans the first stays, also where only the disk knows it', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1, { name: 'first' })]))
    await collector.send(traceJson([span(1, 1, { name: 'again' })]))
    expect(names(collector, 1)).toEqual(['first'])
    await collector.restart()
    await collector.send(traceJson([span(1, 1, { name: 'once more' })]))
    await collector.send(traceJson([span(1, 1, { name: 'first' })]))
    expect(names(collector, 1)).toEqual(['first'])
    await collector.restart()
    expect(ledger(collector)).toEqual({ accepted: 1, conflict: 2, deduplicated: 1 })
  })

  test('random batches with repeats, in any order and over restarts: stored is what was distinct', async () => {
    const collector = await start()
    for (let seed = 1; seed <= 15; seed++) {
      const random = createRandom(seed)
      const base = seed * 100
      const before = accepted(collector)
      const sent = Array.from({ length: 1 + random(8) }, () =>
        Array.from({ length: 1 + random(12) }, () => ({ trace: 1 + random(6), id: 1 + random(6) })),
      )
      const bodies = sent.map((batch) => traceJson(batch.map(({ trace, id }) => span(base + trace, id))))
      if (random(2) === 0) await Promise.all(bodies.map((body) => collector.send(body)))
      else for (const body of bodies) await collector.send(body)
      if (random(3) === 0) {
        await collector.restart()
        await collector.send(bodies[0]!)
      }
      const distinct = new Set(sent.flat().map(({ trace, id }) => `${trace} ${id}`))
      const stored = [1, 2, 3, 4, 5, 6].flatMap((trace) => collector.trace(traceIdOf(base + trace)))
      expect([seed, accepted(collector) - before, stored.length]).toEqual([seed, distinct.size, distinct.size])
    }
  })
})

/** Numbers below a bound, the same for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('quota', () => {
  test('is exact under concurrency, and repeats use none of it', async () => {
    const collector = await start({ quotaSpans: 50 })
    const bodies = Array.from({ length: 20 }, (_, n) => traceJson([1, 2, 3, 4].map((id) => span(n + 1, id))))
    const answers = await Promise.all(bodies.map((body) => collector.send(body)))
    const rejected = answers.map((answer) =>
      Number((answer.json().partialSuccess as { rejectedSpans?: string })?.rejectedSpans ?? 0),
    )
    expect(rejected.reduce((sum, n) => sum + n, 0)).toBe(30)
    expect(accepted(collector)).toBe(50)
    const first = answers.findIndex((answer) => answer.body.toString() === '{}')
    expect((await collector.send(bodies[first]!)).body.toString()).toBe('{}')
    await collector.restart()
    expect((await collector.send(traceJson([span(900, 1)]))).json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } })
  })
})

describe('decisions', () => {
  const failing = { status: { code: 2, message: 'boom' } }
  const failures = (collector: TestCollector) => collector.rows('select * from failure join fingerprint using (fingerprint_no)')
  const counts = (collector: TestCollector) =>
    Number(collector.rows('select coalesce(sum(failures), 0) as n from failure_count')[0]!.n)
  const isIdle = (collector: TestCollector) => (collector.rows('select * from open_trace').length === 0 ? true : null)

  test('a failing trace is decided when it is quiet; its error is counted once, at its origin', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1, failing), span(1, 2, { ...failing, parentSpanId: spanIdOf(1) }), span(2, 3)]))
    await until('the decision', () => (collector.rows('select * from decision').length > 0 ? true : null))
    expect(failures(collector)).toMatchObject([{ span_id: 2n, signal: 'error_status', template: 'boom' }])
    expect(counts(collector)).toBe(1)
    expect(collector.rows('select * from open_trace')).toEqual([])
    expect(collector.rows('select sum(traces) as traces from decision')).toEqual([{ traces: 1n }])
  })

  test('a late span opens its trace again, and only the difference is written', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1, failing)]))
    await until('the first decision', () => (failures(collector).length === 1 ? true : null))
    await collector.restart()
    await collector.send(traceJson([span(1, 2, { ...failing, parentSpanId: spanIdOf(1) })]))
    await until('the correction', () => (failures(collector)[0]?.span_id === 2n ? true : null))
    expect(failures(collector)).toHaveLength(1)
    expect(counts(collector)).toBe(1)
    expect(collector.rows('select * from decision')).toHaveLength(2)
  })

  test('a late healthy span changes nothing but the time of the decision', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1, failing)]))
    await until('the first decision', () => (failures(collector).length === 1 ? true : null))
    const before = collector.rows('select * from failure')
    await collector.send(traceJson([span(1, 9)]))
    await until('the second decision', () => (collector.rows('select * from decision').length === 2 ? true : null))
    expect(collector.rows('select * from failure')).toEqual(before)
    expect(counts(collector)).toBe(1)
  })

  test('a trace that never gets quiet is decided when it is old enough', async () => {
    const collector = await start({ env: { LOOPKIT_QUIET_MS: '60000', LOOPKIT_DECIDE_AFTER_MS: '300' } })
    await collector.send(traceJson([span(1, 1, failing)]))
    await until('the decision', () => (failures(collector).length === 1 ? true : null))
  })

  test('sessions are written when first seen and summed at the decision', async () => {
    const collector = await start()
    await collector.send(
      traceJson([span(1, 1, { attributes: { 'session.id': 'talk' } }), span(1, 2, { parentSpanId: spanIdOf(1) })]),
    )
    const rows = () => collector.rows('select session_id, spans, decided_ms from session_trace join session using (session_no)')
    expect(rows()).toMatchObject([{ session_id: 'talk' }])
    await until('the decision', () => isIdle(collector))
    expect(rows()).toMatchObject([{ session_id: 'talk', spans: 2n }])
    expect(rows()[0]!.decided_ms).not.toBeNull()
  })

  test('healthy traces leave no row behind', async () => {
    const collector = await start()
    await collector.send(traceJson([span(1, 1), span(2, 2)]))
    expect(collector.rows('select * from open_trace')).toEqual([])
    expect(collector.rows('select * from session')).toEqual([])
  })
})

describe('stopping and failing', () => {
  test('what was sent while it stops is answered or cut, and nothing acknowledged is lost', async () => {
    const collector = await start()
    const sending = Array.from({ length: 30 }, (_, n) =>
      collector.send(traceJson([span(n + 1, 1)])).then(
        ({ status }) => (status === 200 ? 1 : 0),
        () => 0,
      ),
    )
    await collector.restart()
    const acknowledged = (await Promise.all(sending)).reduce<number>((sum, n) => sum + n, 0)
    expect(accepted(collector)).toBeGreaterThanOrEqual(acknowledged)
  })

  test('while another process holds the lock the answer is 503, nothing is marked, and the next try is stored', async () => {
    const collector = await start()
    const { openDatabase } = await import('@loopkit/shared/database/open')
    const other = openDatabase(`${collector.dataDir}/telemetry.db`, { role: 'writer' })
    other.exec('begin immediate')
    const refused = await collector.send(traceJson([span(1, 1)]))
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    expect((await collector.send('', { path: '/readyz', method: 'GET' })).status).toBe(503)
    expect((await collector.send('', { path: '/health', method: 'GET' })).status).toBe(200)
    other.exec('rollback')
    other.close()
    expect((await collector.send(traceJson([span(1, 1)]))).status).toBe(200)
    expect(accepted(collector)).toBe(1)
    expect((await collector.send('', { path: '/readyz', method: 'GET' })).status).toBe(200)
  })

  test('a second collector refuses the folder', async () => {
    const collector = await start()
    const { takeFolder } = await import('@loopkit/shared/database/guard/folder-lock')
    expect(() => takeFolder(collector.dataDir, 'collector')).toThrow(/another collector/)
  })

  test('lines say what came and what was refused, with a trace and the exporter; keys are in none', async () => {
    const collector = await start({ env: { LOOPKIT_SUMMARY_MS: '100' } })
    await collector.send(traceJson([span(1, 1), { ...span(7, 1), spanId: '' }]), { headers: { 'user-agent': 'test/1' } })
    const line = await until('a summary', () => collector.logLines.find(({ accepted: n }) => n === 1) ?? null)
    expect(line).toMatchObject({ code: 'ingest.summary', rejected: { span_id_empty: 1 } })
    const refused = await until('the refusal', () => collector.logLines.find(({ reason }) => reason === 'span_id_empty') ?? null)
    expect(refused).toMatchObject({ code: 'ingest.rejected', count: 1, trace_id: traceIdOf(7), user_agent: 'test/1' })
    expect(JSON.stringify(collector.logLines)).not.toContain(KEY)
  })
})
