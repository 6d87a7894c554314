import { spawn } from 'node:child_process'

/** A server under load, in a process of its own. */
export interface BenchServer {
  name: string
  httpPort: number
  grpcPort: number
  /** For the `authorization` header; '' where the server asks for none. */
  key: string
  /** Whose processor time and memory are measured. */
  pid: number
  /** What grows with what is stored; null where nothing is. */
  dataDir: string | null
  /** Ends it and removes what it stored. */
  stop(): Promise<void>
}

export interface ServerProcess {
  pid: number
  output(): string
  hasEnded(): boolean
  end(signal: NodeJS.Signals): Promise<void>
}

const OUTPUT_MAX_CHARACTERS = 64 * 1024

/** Starts a program in a process group of its own, so that its children end with it. */
export function startProcess(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ServerProcess {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let printed = ''
  let ended = false
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-OUTPUT_MAX_CHARACTERS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const pid = child.pid ?? 0
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal)
    } catch {
      // It is gone already.
    }
  }
  const endWithUs = () => kill('SIGKILL')
  process.once('exit', endWithUs)
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true
      process.off('exit', endWithUs)
      resolve()
    })
  })
  return {
    pid,
    output: () => printed,
    hasEnded: () => ended,
    end(signal) {
      if (!ended) kill(signal)
      return exit
    },
  }
}
