// Loads everything that runs in a service, so that NODE_COMPILE_CACHE has it from the first start on. `--help` among the arguments
// keeps the entry points from starting; a worker's ends at once for want of a parent, compiled by then.
const entries = [
  'cli/src/main.ts',
  'collector/src/collector-main.ts',
  'collector/src/write/writer-worker.ts',
  'collector/src/decide/decide-worker.ts',
  'collector/src/admit/decode-worker.ts',
  'collector/src/admit/lookup-worker.ts',
  'analyzer/src/main.ts',
  'analyzer/src/telemetry/read-worker.ts',
]
for (const entry of entries) await import(new URL(`../../${entry}`, import.meta.url).href).catch(() => {})
