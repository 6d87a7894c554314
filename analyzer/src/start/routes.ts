import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import type { Clock } from '@loopkit/shared/runtime/clock'
import type { Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { createDocs } from '../capabilities/docs/index.ts'
import { createHealth } from '../capabilities/health/index.ts'
import { createProjects } from '../capabilities/projects/index.ts'
import { createProvisioningCapability } from '../capabilities/provisioning/index.ts'
import { createRecovery, readRecoverySecret } from '../capabilities/recovery/index.ts'
import type { AuditedChange } from '../control/audited-change.ts'
import type { Control } from '../control/control-database.ts'
import { recoveryCode } from '../domain/project-codes.ts'
import type { Addresses } from '../domain/signup-answer.ts'
import type { Authenticate } from '../http/auth.ts'
import type { Route } from '../http/contract.ts'
import { type TelemetryState, telemetryStateOf } from '../telemetry/telemetry-file.ts'
import type { Metrics } from './metrics.ts'
import { createReadRoutes } from './read-routes.ts'
import { createReadersReady } from './readers-ready.ts'

export interface RoutesDeps {
  settings: Settings
  control: Control
  /** Changes that were answered are gone and nobody has taken note of it, or null. */
  lossReason(): string | null
  change: AuditedChange
  clock: Clock
  log: Logger
  lifecycle: Lifecycle
  authenticate: Authenticate
  addresses: Addresses
  metrics: Metrics
  randomBytes: (size: number) => Uint8Array
  version: string
}

export interface ComposedRoutes {
  /** See ReadRoutes. */
  rehearse(): void
  routes: Route[]
  provisionFirst: ReturnType<typeof createProvisioningCapability>['provisionFirst']
}

/** Builds every capability and passes functions between them: who asks whom is read here. */
export function createRoutes(deps: RoutesDeps): ComposedRoutes {
  const { settings, control, clock, version, addresses, metrics, randomBytes } = deps
  const recoverySecret = readRecoverySecret({ dataDir: settings.dataDir, configured: settings.recoverySecret, randomBytes })
  const recoveryCodeOf = (projectId: string, epoch: number) => recoveryCode(recoverySecret, projectId, epoch)
  const shared = { ...deps, recoveryCodeOf }

  const readiness = createReadersReady()
  const health = createHealth({
    clock,
    version,
    metricsText: async () => (await metrics.text()).text,
    checks: {
      control: () => checkControl(control),
      readers: readiness.check,
      losses: () => ({ state: deps.lossReason() ?? 'none', ready: deps.lossReason() === null }),
      telemetry: () => checkTelemetry(telemetryStateOf(join(settings.dataDir, 'telemetry.db'))),
    },
  })
  const provisioning = createProvisioningCapability({
    ...shared,
    upgradeSecret: settings.signupUpgradeSecret,
    terms: {
      selfServe: settings.selfServe,
      projectsMax: settings.selfServeProjectsMax,
      sandboxQuotaSpans: settings.sandboxQuotaSpans,
      sandboxDays: settings.sandboxDays,
    },
  })
  const reading = createReadRoutes(deps)
  const routes = [
    ...health.routes,
    ...provisioning.routes,
    ...createRecovery(shared).routes,
    ...createProjects(shared).routes,
    ...reading.routes,
  ]
  const docs = createDocs({ addresses, version, contracts: routes.map(({ contract }) => contract) })
  return {
    routes: [...routes, ...docs.routes],
    provisionFirst: provisioning.provisionFirst,
    rehearse: () => readiness.await(reading.rehearse()),
  }
}

function checkControl({ sqlite }: Control) {
  sqlite.prepare('select 1 from project limit 1').get()
  return { state: 'ok', ready: true }
}

/** Without telemetry there is nothing to read yet, which is an answer; a file of another version is one that we must not read. */
function checkTelemetry(state: TelemetryState) {
  return { state: state === 'current' ? 'ok' : state, ready: state === 'current' || state === 'absent' }
}
