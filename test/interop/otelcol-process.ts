import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../harness/http.ts'
import { projectRoot } from '../harness/service-process.ts'
import { findFreePort } from './free-port.ts'
import { buildOnce, runBuild, sources } from './toolchain.ts'

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.158.0'
const READY_MS = 20_000
const OUTPUT_MAX_CHARACTERS = 64 * 1024

export interface OtelCollector {
  /** Where it takes OTLP/HTTP. */
  url: string
  output(): string
  stop(): Promise<void>
}

/** The binary that `LOOPKIT_INTEROP_OTELCOL` names, else one built from the Collector's modules. */
export async function prepareOtelCollector(): Promise<string> {
  const given = process.env.LOOPKIT_INTEROP_OTELCOL
  if (given) return given
  const manifest = join(sources, 'otelcol', 'builder.yaml')
  const folder = await buildOnce('otelcol', [BUILDER, readFileSync(manifest, 'utf8')], async (to) => {
    await runBuild({ command: 'go', args: ['install', BUILDER], env: { GOBIN: to, GOFLAGS: '-mod=mod' } })
    await runBuild({ command: join(to, 'builder'), args: ['--config', manifest], cwd: to })
  })
  return join(folder, 'build', 'otelcol')
}

/** Starts it with the project's own configuration, on a free port; `config` files and `env` come on top. */
export async function startOtelCollector(
  binary: string,
  { configs = [], env }: { configs?: string[]; env: Record<string, string> },
): Promise<OtelCollector> {
  const port = await findFreePort()
  const settings = [join(projectRoot, 'otel-collector.yaml'), ...configs].flatMap((path) => ['--config', path])
  const overrides = [`receivers.otlp.protocols.http.endpoint=127.0.0.1:${port}`, 'service.telemetry.metrics.level=none']
  const child = spawn(binary, [...settings, ...overrides.map((one) => `--set=${one}`)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { output, ended, end } = watch(child)
  try {
    await until(
      'the OpenTelemetry Collector to be ready',
      () => {
        if (ended()) throw new Error(`the OpenTelemetry Collector ended\n${output()}`)
        return output().includes('Everything is ready') ? true : null
      },
      READY_MS,
    )
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
  return { url: `http://127.0.0.1:${port}`, output, stop: () => end('SIGTERM') }
}

function watch(child: ChildProcess) {
  let printed = ''
  let isOver = false
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-OUTPUT_MAX_CHARACTERS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  // A test runner that is ended must not leave a process behind.
  const endChild = () => child.kill('SIGKILL')
  process.once('exit', endChild)
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isOver = true
      process.off('exit', endChild)
      resolve()
    })
  })
  return {
    output: () => printed,
    ended: () => isOver,
    end: (signal: NodeJS.Signals): Promise<void> => {
      if (!isOver) child.kill(signal)
      return exit
    },
  }
}
