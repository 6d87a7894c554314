import { readFileSync } from 'node:fs'
import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import { callApi, until } from '../harness/http.ts'
import type { ProjectKeys } from '../harness/start-product.ts'
import type { KeptPromise } from './fault-rig.ts'
import { HOSTILE_LOADS, type HostileLoad } from './hostile-bodies.ts'
import { type MainThreadDelay, readMainThreadDelay } from './main-thread-delay.ts'
import { type HealthSeen, watchHealth } from './watch-health.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface HostileReport extends KeptPromise {
  health: HealthSeen
  delay: MainThreadDelay
  peakRssBytes: number
  /** Answers to the hostile project, by status; 0: the connection was cut. */
  answers: Record<string, number>
  /** Statuses that say that something broke. */
  wrongAnswers: string[]
  /** Until a body of its own is taken, once the hostile ones have ended. */
  recoveredAfterMs: number
}

/** What may be answered to such bodies: taken, cannot be read, too slow, too large, come again; or nothing, on a cut connection. */
const RIGHT_ANSWERS = new Set(['200', '400', '408', '413', '503', '0'])
/** After a refusal a sender takes a breath, in ms. */
const BREATH_MS = 100
const PACE_MS = 100

/** One project sends what no exporter does, from many connections; another goes on sending spans, every one of which is kept. */
export function runHostileLoad({ name, forMs }: { name: string; forMs: number }): Promise<HostileReport> {
  const load = HOSTILE_LOADS.find((one) => one.name === name)
  if (!load) throw new Error(`no hostile load is called ${name}`)
  return withFaultRig(async (rig) => {
    const hostile = await callApi(`${rig.analyzerUrl()}/v1/provision`, { json: { project_name: 'hostile' } })
    const { producer_key } = hostile.json<ProjectKeys>()
    const endWatch = watchHealth(rig.otlpUrl())
    const endLoad = rig.load(1)
    await readMainThreadDelay(rig.otlpUrl())
    const answers = await drive(load, rig.otlpUrl(), producer_key, forMs)
    const endedMs = performance.now()
    await until('an empty body to be taken', async () => {
      const url = `${rig.otlpUrl()}/v1/traces`
      const answer = await callApi(url, { key: producer_key, body: new Uint8Array(0), headers: PROTOBUF }).catch(() => null)
      return answer?.status === 200 ? true : null
    })
    const recoveredAfterMs = Math.round(performance.now() - endedMs)
    const delay = await readMainThreadDelay(rig.otlpUrl())
    await endLoad()
    return {
      ...(await rig.check()),
      health: await endWatch(),
      delay,
      peakRssBytes: peakRssBytes(rig.collector().pid),
      answers,
      wrongAnswers: Object.keys(answers).filter((status) => !RIGHT_ANSWERS.has(status)),
      recoveredAfterMs,
    }
  })
}

const PROTOBUF = { 'content-type': 'application/x-protobuf' }

async function drive(load: HostileLoad, otlpUrl: string, key: string, forMs: number): Promise<Record<string, number>> {
  const { connections, headers } = load
  const body = load.body()
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const answers: Record<string, number> = {}
  const endMs = performance.now() + forMs
  const send = () =>
    new Promise<number>((resolve) => {
      const request = httpRequest(`${otlpUrl}/v1/traces`, {
        method: 'POST',
        agent,
        headers: { ...headers, authorization: `Bearer ${key}`, 'content-length': body.length },
      })
      const cut = setTimeout(() => request.destroy(), Math.max(0, endMs - performance.now()) + 1_000)
      request.on('close', () => {
        clearTimeout(cut)
        resolve(0)
      })
      request.on('error', () => {})
      request.on('response', (response) => void response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      if (load.bytesPerSecond === null) request.end(body)
      else sendSlowly(request, body, load.bytesPerSecond)
    })
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < endMs) {
        const status = await send()
        answers[status] = (answers[status] ?? 0) + 1
        if (status !== 200) await new Promise((resolve) => setTimeout(resolve, BREATH_MS))
      }
    }),
  )
  agent.destroy()
  return answers
}

function sendSlowly(request: ClientRequest, body: Uint8Array, bytesPerSecond: number): void {
  const piece = Math.ceil((bytesPerSecond * PACE_MS) / 1000)
  let at = 0
  const timer = setInterval(() => {
    if (request.destroyed || at >= body.length) return clearInterval(timer)
    request.write(body.subarray(at, at + piece))
    at += piece
  }, PACE_MS)
  request.on('close', () => clearInterval(timer))
}

function peakRssBytes(pid: number): number {
  const peakKib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(peakKib) * 1024
}
