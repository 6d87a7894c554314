import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { callApi, until } from './http.ts'

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url))

export interface ServiceSpec {
  name: 'collector' | 'analyzer'
  dataDir: string
  env: Record<string, string>
}

export interface ServiceProcess {
  pid: number
  port: number
  /** The last of what it printed, for messages of failing tests. */
  output(): string
  /** Resolves when it has ended by itself; the exit code, null where a signal ended it. */
  ended(): Promise<number | null>
  /** Throws what it printed when it is no longer running. */
  throwIfEnded(): void
  /** Sends the signal and waits for the end; the exit code, null where a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const PORT_FIELDS = { collector: 'otlpHttpPort', analyzer: 'analyzerPort' } as const
const OUTPUT_MAX_CHARACTERS = 64 * 1024
const READY_MS = 30_000

/** Starts one service of the product as `npm start` would, on the Node that runs this, and waits until it is ready. */
export async function startService(spec: ServiceSpec): Promise<ServiceProcess> {
  const portFile = join(spec.dataDir, 'run', `${spec.name}.json`)
  rmSync(portFile, { force: true })
  const running = launch(spec)
  try {
    const port = await until(
      `${spec.name} to write ${portFile}`,
      () => {
        running.throwIfEnded()
        return readPort(portFile, PORT_FIELDS[spec.name])
      },
      READY_MS,
    )
    return { ...running, port }
  } catch (error) {
    await running.end('SIGKILL')
    throw error
  }
}

/** Waits until `/readyz` answers 200; fails with what the process printed. */
export async function waitUntilReady({ port, output, throwIfEnded }: ServiceProcess, name: string): Promise<void> {
  try {
    await until(
      `${name} to be ready`,
      async () => {
        throwIfEnded()
        const answer = await callApi(`http://127.0.0.1:${port}/readyz`).catch(() => null)
        return answer?.status === 200 ? true : null
      },
      READY_MS,
    )
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${output()}`)
  }
}

function launch({ name, dataDir, env }: ServiceSpec) {
  const child = spawn(process.execPath, [join(projectRoot, name, 'src', 'main.ts')], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inheritedEnvironment(), LOOPKIT_DATA_DIR: dataDir, ...env },
  })
  let printed = ''
  let ended: { code: number | null } | null = null
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-OUTPUT_MAX_CHARACTERS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  // A test runner that is ended must not leave a product behind.
  const endChild = () => child.kill('SIGKILL')
  process.once('exit', endChild)
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      ended = { code }
      process.off('exit', endChild)
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? 0,
    output: () => printed,
    ended: () => exit,
    throwIfEnded: () => {
      if (ended) throw new Error(`${name} ended with ${ended.code}\n${printed}`)
    },
    end: (signal: NodeJS.Signals) => {
      if (!ended) child.kill(signal)
      return exit
    },
  }
}

/** The caller's environment without settings of a product that may run beside the tests. */
function inheritedEnvironment(): Record<string, string | undefined> {
  const foreign = /^(LOOPKIT_|OTEL_|SIGNUP_UPGRADE_SECRET$|T4_ADMIN_TOKEN$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

function readPort(path: string, field: string): number | null {
  if (!existsSync(path)) return null
  try {
    const port: unknown = JSON.parse(readFileSync(path, 'utf8'))[field]
    return typeof port === 'number' ? port : null
  } catch {
    // Half written: it is read again.
    return null
  }
}
