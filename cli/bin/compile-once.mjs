// Loads everything that runs in a service, so that NODE_COMPILE_CACHE has it from the first start on. `--help` among the arguments
// keeps the entry points from starting; a worker's ends at once for want of a parent, compiled by then.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TUNED_ENVIRONMENT, TUNED_FLAGS } from '../../shared/src/runtime/tune-process.ts'

// What is compiled under other flags is another thing to Node: once as the analyzer runs, once as the collector does, and once as
// the collector's threads do, for which it has switched the last flag on by then.
const isTuned = Object.keys(TUNED_ENVIRONMENT).some((name) => process.env[name] !== undefined)
for (const flags of isTuned ? [] : [TUNED_FLAGS, [...TUNED_FLAGS, '--expose-gc']]) {
  const again = [...flags, fileURLToPath(import.meta.url), '--help']
  spawnSync(process.execPath, again, { stdio: 'ignore', env: { ...process.env, ...TUNED_ENVIRONMENT } })
}
const entries = [
  'cli/src/main.ts',
  ...(isTuned ? ['collector/src/main.ts'] : []),
  'collector/src/write/writer-worker.ts',
  'collector/src/decide/decide-worker.ts',
  'collector/src/admit/decode-worker.ts',
  'collector/src/admit/lookup-worker.ts',
  'analyzer/src/main.ts',
  'analyzer/src/telemetry/read-worker.ts',
]
for (const entry of entries) await import(new URL(`../../${entry}`, import.meta.url).href).catch(() => {})
