import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from '@loopkit/shared/runtime/log'
import { decideRestart, HEALTHY_RUN_MS } from './restart-policy.ts'

/** One process that is kept running. */
export interface Service {
  name: string
  /** Arguments of the same Node that runs this process. */
  args: readonly string[]
  env: NodeJS.ProcessEnv
}

/** How long a child may take to stop by itself, in ms: its own promise is 10 s. */
const STOP_MS = 12_000

export interface Supervisor {
  /** Resolves with the exit code of everything, once every child has ended. */
  done: Promise<number>
  stop(): void
}

/**
 * Keeps every service running until `stop`: a crashed one is started again with back-off; one that cannot run at all
 * (a taken port, a wrong setting) stops all and its exit code is the answer. Children share this process's terminal.
 */
export function supervise(services: readonly Service[], log: Logger): Supervisor {
  const running = new Map<string, ChildProcess>()
  const waiting = new Map<string, NodeJS.Timeout>()
  let exitCode = 0
  let stopping = false
  let finish: (code: number) => void = () => {}
  const done = new Promise<number>((resolve) => {
    finish = resolve
  })

  const finishWhenAllEnded = () => {
    if (stopping && running.size === 0) finish(exitCode)
  }
  const stop = () => {
    if (stopping) return
    stopping = true
    for (const timer of waiting.values()) clearTimeout(timer)
    for (const child of running.values()) stopChild(child)
    finishWhenAllEnded()
  }
  const start = (service: Service, crashesInARow: number) => {
    waiting.delete(service.name)
    const startedMs = performance.now()
    const child = spawn(process.execPath, service.args, { stdio: 'inherit', env: service.env })
    running.set(service.name, child)
    child.once('exit', (code, signal) => {
      running.delete(service.name)
      if (stopping) return finishWhenAllEnded()
      const ranMs = performance.now() - startedMs
      const decision = decideRestart({ exitCode: code, ranMs, crashesInARow })
      if (decision.action === 'give_up') {
        exitCode = decision.exitCode
        return stop()
      }
      const { delayMs } = decision
      log.error(
        { code: 'service.crashed', name: service.name, exit_code: code, signal, ran_ms: Math.round(ranMs), restart_ms: delayMs },
        'restarting',
      )
      waiting.set(
        service.name,
        setTimeout(() => start(service, ranMs >= HEALTHY_RUN_MS ? 0 : crashesInARow + 1), delayMs),
      )
    })
  }
  for (const service of services) start(service, 0)
  return { done, stop }
}

/** Asks the child to stop, then insists. A child that stops in time clears the timer by ending. */
function stopChild(child: ChildProcess): void {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  child.once('exit', () => clearTimeout(timer))
}
