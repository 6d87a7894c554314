import { join } from 'node:path'
import { readModels } from '@loopkit/config/read-models'
import type { Settings } from '@loopkit/config/settings-schema'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { pickSoftThresholds } from '@loopkit/shared/signals/soft/thresholds'
import { createChangesCapability } from '../capabilities/changes/index.ts'
import { createDashboardCapability } from '../capabilities/dashboard/index.ts'
import { createDiagnoseCapability } from '../capabilities/diagnose/index.ts'
import { createFingerprintRulesCapability } from '../capabilities/fingerprint-rules/index.ts'
import { createObserveCapability } from '../capabilities/observe/index.ts'
import { createPacketsCapability } from '../capabilities/packets/index.ts'
import { createPainsCapability } from '../capabilities/pains/index.ts'
import { createRecordsCapability } from '../capabilities/records/index.ts'
import { createReportsCapability } from '../capabilities/reports/index.ts'
import { createSessionsCapability } from '../capabilities/sessions/index.ts'
import type { AuditedChange } from '../control/audited-change.ts'
import type { Control } from '../control/control-database.ts'
import type { Route } from '../http/contract.ts'
import { toDiagnosisRules } from '../telemetry/pains/diagnosis-rules.ts'
import { ReadPool } from '../telemetry/read-pool.ts'
import type { Metrics } from './metrics.ts'

export interface ReadRoutesDeps {
  settings: Settings
  control: Control
  change: AuditedChange
  clock: Clock
  log: Logger
  lifecycle: Lifecycle
  metrics: Pick<Metrics, 'timeReads'>
}

export interface ReadRoutes {
  routes: Route[]
  /** Lets the readers try themselves out, so that the first question does not wait until reading is compiled. */
  rehearse(): Promise<void>
}

/** The capabilities that read telemetry. They work, and find nothing, until the collector has made telemetry.db. */
export function createReadRoutes({ settings, control, change, clock, log, lifecycle, metrics }: ReadRoutesDeps): ReadRoutes {
  const pool = new ReadPool({
    path: join(settings.dataDir, 'telemetry.db'),
    thresholds: pickSoftThresholds(settings),
    modelPrices: readModels(settings.modelsFile),
  })
  lifecycle.defer('telemetry readers', () => pool.close())
  const rules = toDiagnosisRules(settings)
  const shared = { control, ask: metrics.timeReads(pool.ask), nowMs: clock.nowMs, rules, audited: change }

  const packets = createPacketsCapability({ control, retentionDays: settings.retentionDays })
  const pains = createPainsCapability({ ...shared, readLedger: (owner) => changes.readLedger(owner) })
  const { findPain, rememberPains, forgetPains, readPainView, readRootIds, readMutedIds } = pains
  const changes = createChangesCapability({
    ...shared,
    verifyRule: rules.verifyRule,
    ...{ findPain, forgetPains, readRootIds, readPainView },
  })
  startSettling({ settings, lifecycle, log }, changes.settling)
  const diagnose = createDiagnoseCapability({
    ...shared,
    readLedger: changes.readLedger,
    ...{ rememberPains, readPainView },
    storePacket: packets.storePacket,
  })
  const observe = createObserveCapability({
    ...shared,
    readLedger: changes.readLedger,
    readPainEvents: changes.readPainEvents,
    ...{ rememberPains, readPainView, readRootIds, readMutedIds },
    findTitle: (projectNo, painId) => findPain(projectNo, painId)?.title ?? null,
  })
  const grouping = createFingerprintRulesCapability({ ...shared, ...pains })
  const { attributesShownMax, attributeShownMaxBytes, quietMs } = settings
  const reading = { ...shared, quietMs, limits: { attributesShownMax, attributeShownMaxBytes } }
  const records = createRecordsCapability(reading)
  const sessions = createSessionsCapability(reading)
  const dashboard = createDashboardCapability({ ...shared, ...pains, ...packets, ...changes })
  const reports = createReportsCapability(dashboard)
  const capabilities = [diagnose, packets, pains, grouping, changes, observe, records, sessions, dashboard, reports]
  return {
    routes: capabilities.flatMap(({ routes }) => routes),
    rehearse: () => pool.rehearse(),
  }
}

/** Verdicts settle without anybody asking. A pass that fails is told and tried again. */
function startSettling(
  { settings, lifecycle, log }: Pick<ReadRoutesDeps, 'settings' | 'lifecycle' | 'log'>,
  { pass, stop }: { pass(): Promise<void>; stop(): Promise<void> },
): void {
  const look = () =>
    pass().catch((error: unknown) => log.error({ code: 'verify.settle', err: error }, 'verdicts could not be settled'))
  const timer = setInterval(look, settings.verifyEveryMs).unref()
  lifecycle.defer('settling of verdicts', () => {
    clearInterval(timer)
    return stop()
  })
}
