import type { Clock } from '@loopkit/shared/runtime/clock'
import { contract, type Route, route } from '../../http/contract.ts'
import { errorKind, fail } from '../../http/errors.ts'

const notReady = errorKind({ code: 'not_ready', status: 503, title: 'LoopKit cannot do its work now' })

const healthContract = contract({
  operation: 'health',
  summary: 'Whether the process is alive, and what it sees of what it depends on',
  method: 'get',
  path: '/health',
  auth: 'none',
  status: 200,
  response: {
    type: 'object',
    required: ['status', 'time', 'version', 'checks'],
    properties: {
      status: { type: 'string', const: 'ok' },
      time: { type: 'string', format: 'date-time' },
      version: { type: 'string' },
      checks: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
  errors: [],
})

const readyContract = contract({
  operation: 'ready',
  summary: 'Whether requests can be served; otherwise 503 with the reason',
  method: 'get',
  path: '/readyz',
  auth: 'none',
  status: 200,
  response: { type: 'object', required: ['status'], properties: { status: { type: 'string', const: 'ready' } } },
  errors: [notReady],
})

const metricsContract = contract({
  operation: 'metrics',
  summary: 'Counters and histograms in the Prometheus text format',
  method: 'get',
  path: '/metrics',
  auth: 'none',
  status: 200,
  produces: 'text/plain; version=0.0.4; charset=utf-8',
  response: { type: 'string' },
  errors: [],
})

/** One thing that the process depends on: what it is in, and whether requests can be served in spite of it. */
export interface Check {
  state: string
  ready: boolean
}

export interface HealthDeps {
  clock: Clock
  version: string
  /** Each by name; one that throws counts as failing. */
  checks: Record<string, () => Check>
  metricsText: () => Promise<string>
}

/** What supervisors and scrapers ask. */
export function createHealth({ clock, version, checks, metricsText }: HealthDeps): { routes: Route[] } {
  const runAll = () => Object.entries(checks).map(([name, check]) => ({ name, ...run(check) }))
  return {
    routes: [
      route(healthContract, () => ({
        status: 'ok' as const,
        time: new Date(clock.nowMs()).toISOString(),
        version,
        checks: Object.fromEntries(runAll().map(({ name, state }) => [name, state])),
      })),
      route(readyContract, () => {
        const failing = runAll().filter(({ ready }) => !ready)
        if (failing.length > 0) fail(notReady, failing.map(({ name, state }) => `${name}: ${state}`).join('; '))
        return { status: 'ready' as const }
      }),
      route(metricsContract, metricsText),
    ],
  }
}

function run(check: () => Check): Check {
  try {
    return check()
  } catch (error) {
    return { state: (error as { code?: string }).code ?? 'failing', ready: false }
  }
}
