import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { writeRunFiles } from '@loopkit/shared/runtime/data-folder'
import { createLifecycle } from '@loopkit/shared/runtime/lifecycle'
import { droppedLines, type Logger } from '@loopkit/shared/runtime/log'
import { createAudit } from '../capabilities/audit/index.ts'
import { createIngest } from '../capabilities/ingest/index.ts'
import type { Control } from '../control/control-database.ts'
import { createInternalKey } from '../control/internal-key.ts'
import { createFindKey, createRecordUse } from '../control/keys.ts'
import { createApp } from '../http/app.ts'
import { createAdminCheck, createAuthenticate } from '../http/auth.ts'
import { listen } from '../http/listen.ts'
import { createSlidingLog, openLimits } from '../http/rate-limit/sliding-log.ts'
import { createTakeLimit } from '../http/rate-limit/take-limit.ts'
import { isLoopback } from '../http/request-facts.ts'
import { createAddresses, findCollector } from './addresses.ts'
import { claimControl } from './claim-control.ts'
import { announceFirstRun, FIRST_PROJECT, firstRunText } from './first-run.ts'
import { createMetrics } from './metrics.ts'
import { type OwnSpans, startOwnSpans } from './own-spans.ts'
import { createRoutes } from './routes.ts'
import { startFacts } from './start-facts.ts'

export interface AnalyzerOptions {
  settings: Settings
  clock: Clock
  log: Logger
  pid: number
  version: string
  /** Shows text on the terminal; null without one. */
  showOnTerminal: ((text: string) => void) | null
  /** Readers try themselves out once it listens; for processes that are there to stay. */
  rehearses?: boolean
  /** For tests; see AppDeps. */
  enforceContract?: boolean
}

export interface RunningAnalyzer {
  port: number
  url: string
  control: Control
  /** Writes the refusals that were counted, and walks the audit's chain. */
  verifyAudit(): { ok: boolean; rows: number; firstBad: number | null }
  /** Lets requests under way end, then closes everything. */
  stop(): Promise<void>
}

const MINUTE_MS = 60_000
const AUDIT_WRITE_MS = 1_000
/** How long requests under way may take when the process is asked to stop, in ms: its promise is 10 s for all of it. */
const STOP_GRACE_MS = 8_000

/** Composes the analyzer and listens. What was opened is closed again when a later step fails. */
export async function startAnalyzer(options: AnalyzerOptions): Promise<RunningAnalyzer> {
  const lifecycle = createLifecycle()
  try {
    return await compose(options, lifecycle)
  } catch (error) {
    await lifecycle.stop().catch(() => {})
    throw error
  }
}

async function compose(options: AnalyzerOptions, lifecycle: ReturnType<typeof createLifecycle>): Promise<RunningAnalyzer> {
  const { settings, clock, log, enforceContract } = options
  const { control, lossReason } = claimControl(options, lifecycle)
  const limits = createSlidingLog(openLimits(join(settings.dataDir, 'limits.db')), clock.nowMs)
  lifecycle.defer('limits.db', limits.close)
  const audit = createAudit({ control, clock, log })
  lifecycle.defer('audit', audit.flush)
  const writing = setInterval(audit.writeDue, AUDIT_WRITE_MS).unref()
  lifecycle.defer('audit timer', () => clearInterval(writing))

  let port = settings.analyzerPort
  const addresses = createAddresses(settings, () => port)
  const authenticate = createAuthenticate({
    findKey: createFindKey(control),
    nowMs: clock.nowMs,
    onUsed: createRecordUse(control),
  })
  const metrics = createMetrics({
    version: options.version,
    instanceId: randomUUID(),
    droppedLines: () => droppedLines(log),
  })
  lifecycle.defer('metrics', metrics.stop)
  const ownSpans = startOwnSpansIfWanted(options, control)
  lifecycle.defer('own spans', async () => ownSpans?.stop())
  const ingest = createIngest({ findCollector: () => findCollector(settings) })
  lifecycle.defer('collector connections', ingest.close)
  const { routes, provisionFirst, rehearse } = createRoutes({
    ...options,
    ...{ control, lossReason, change: audit.change, authenticate, addresses, metrics, randomBytes, lifecycle },
  })
  if (options.rehearses) rehearse()
  const app = createApp({
    routes,
    streams: ingest.streams,
    authenticate,
    checkAdmin: createAdminCheck(settings.adminToken),
    takeLimit: createTakeLimit(limits, [{ name: 'onboarding', max: settings.onboardingPerMinute, windowMs: MINUTE_MS }]),
    clock,
    log,
    onDone: (outcome) => {
      metrics.observe(outcome)
      ownSpans?.observe(outcome)
      audit.recordOutcome(outcome)
    },
    ...(enforceContract && { enforceContract }),
  })

  const server = await listen(app, { host: settings.host, port: settings.analyzerPort })
  lifecycle.defer('HTTP', () => server.close(STOP_GRACE_MS))
  port = server.port
  announce(
    options,
    (show) => provisionFirst(startFacts(), FIRST_PROJECT, (answer) => show(firstRunText(answer, addresses))) !== null,
  )
  lifecycle.defer('run files', writeRunFiles(settings.dataDir, 'analyzer', options.pid, { analyzerPort: port }))
  return { port, url: server.url, control, verifyAudit: audit.verify, stop: lifecycle.stop }
}

function startOwnSpansIfWanted({ settings, clock, version }: AnalyzerOptions, control: Control): OwnSpans | null {
  if (!settings.selfTelemetry) return null
  const key = createInternalKey({ control, nowMs: clock.nowMs, randomBytes })
  return startOwnSpans({ clock, version, key, findCollector: () => findCollector(settings) })
}

/** The first start's secrets, and what an operator must know about who can reach this instance. */
function announce(
  { settings, log, showOnTerminal }: AnalyzerOptions,
  provision: (show: (text: string) => void) => boolean,
): void {
  let path: string | null = null
  const isFirst = provision((text) => {
    path = announceFirstRun(text, { dataDir: settings.dataDir, showOnTerminal })
  })
  if (isFirst && path !== null)
    log.info({ code: 'start.first_run', file: path }, 'the keys of the first project are in this file')
  if (!isLoopback(settings.host) && settings.host !== 'localhost' && settings.selfServe === 'open') {
    log.warn(
      { code: 'start.open_to_network', host: settings.host },
      'anyone who reaches this address may make projects; see LOOPKIT_SELF_SERVE',
    )
  }
}
