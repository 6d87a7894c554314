import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../harness/http.ts'
import { findFreePort } from '../interop/free-port.ts'
import { type BenchServer, startProcess } from './bench-server.ts'
import { isListening } from './is-listening.ts'

const VERSION = '0.158.0'
const BUILDER = `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`
const MANIFEST = fileURLToPath(new URL('./otelcol.builder.yaml', import.meta.url))
const READY_MS = 30_000

/** Keeps bytes with fsync and can send them on later; or reads and drops. */
export type OtelcolKind = 'queue' | 'nop'

/**
 * The Collector's binary: `LOOPKIT_BENCH_OTELCOL`, else one built once from its Go modules below `cacheDir`. null, with the
 * reason, where there is neither it nor Go.
 */
export function findOtelcol(env: NodeJS.ProcessEnv, cacheDir: string): { path: string } | { missing: string } {
  const given = env.LOOPKIT_BENCH_OTELCOL
  if (given) return existsSync(given) ? { path: given } : { missing: `${given} is not there` }
  const folder = join(cacheDir, 'loopkit-bench', `otelcol-${VERSION}`)
  const path = join(folder, 'build', 'otelcol')
  // The second one is what ../shared/check/peers has built.
  const built = [path, join(cacheDir, 'otlp-peers', 'otelcol', 'otelcol')].find((one) => existsSync(one))
  if (built) return { path: built }
  if (spawnSync('go', ['version']).status !== 0)
    return { missing: 'this machine has no Go to build the OpenTelemetry Collector with' }
  mkdirSync(folder, { recursive: true })
  const run = (command: string, args: string[], extra: NodeJS.ProcessEnv) =>
    spawnSync(command, args, { cwd: folder, env: { ...env, ...extra }, stdio: 'inherit' }).status === 0
  const isBuilt =
    run('go', ['install', BUILDER], { GOBIN: folder, GOFLAGS: '-mod=mod' }) &&
    run(join(folder, 'builder'), ['--config', MANIFEST], {})
  return isBuilt ? { path } : { missing: 'the OpenTelemetry Collector could not be built' }
}

export async function startOtelcol(binary: string, kind: OtelcolKind, env: NodeJS.ProcessEnv): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'loopkit-bench-otelcol-'))
  const [httpPort, grpcPort] = [await findFreePort(), await findFreePort()]
  const dataDir = join(folder, 'queue')
  const config = join(folder, 'config.yaml')
  writeFileSync(
    config,
    JSON.stringify(kind === 'queue' ? queueConfig(httpPort, grpcPort, dataDir) : nopConfig(httpPort, grpcPort)),
  )
  const running = startProcess(binary, ['--config', config], env)
  await until(
    'the OpenTelemetry Collector',
    async () => {
      if (running.hasEnded()) throw new Error(`the OpenTelemetry Collector ended\n${running.output()}`)
      return (await isListening(httpPort)) && (await isListening(grpcPort)) ? true : null
    },
    READY_MS,
  )
  return {
    name: `otelcol-${kind}`,
    httpPort,
    grpcPort,
    key: '',
    pid: running.pid,
    dataDir: kind === 'queue' ? dataDir : null,
    stop: async () => {
      await running.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function receivers(httpPort: number, grpcPort: number): object {
  const grpc = { endpoint: `127.0.0.1:${grpcPort}`, max_recv_msg_size_mib: 64 }
  return { otlp: { protocols: { http: { endpoint: `127.0.0.1:${httpPort}` }, grpc } } }
}

const QUIET = { metrics: { level: 'none' }, logs: { level: 'fatal' } }

function nopConfig(httpPort: number, grpcPort: number): object {
  const pipelines = { traces: { receivers: ['otlp'], exporters: ['nop'] } }
  return { receivers: receivers(httpPort, grpcPort), exporters: { nop: {} }, service: { telemetry: QUIET, pipelines } }
}

/** Nobody listens where it sends to, so everything stays in the queue. */
function queueConfig(httpPort: number, grpcPort: number, dataDir: string): object {
  const sendingQueue = { enabled: true, storage: 'file_storage', queue_size: 10_000_000, num_consumers: 1 }
  const retry = { enabled: true, max_elapsed_time: 0 }
  return {
    extensions: { file_storage: { directory: dataDir, create_directory: true, fsync: true } },
    receivers: receivers(httpPort, grpcPort),
    exporters: { otlphttp: { endpoint: 'http://127.0.0.1:1', retry_on_failure: retry, sending_queue: sendingQueue } },
    service: {
      extensions: ['file_storage'],
      telemetry: QUIET,
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlphttp'] } },
    },
  }
}
