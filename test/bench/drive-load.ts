import { Agent, request } from 'node:http'
import { type LoadBody, renew } from './load-body.ts'

export interface LoadOptions {
  url: string
  key: string
  seconds: number
  /** Connections, each with one request under way. */
  connections: number
}

export interface LoadResult {
  spans: number
  refused: number
  seconds: number
  /** From the first byte sent to the last of the answer, in ms. */
  ackMs: number[]
}

/** Sends the bodies over and over, each time with fresh trace ids, as fast as they are acknowledged. */
export async function driveLoad(
  { url, key, seconds, connections }: LoadOptions,
  bodies: readonly LoadBody[],
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1000
  const result = { spans: 0, refused: 0, ackMs: [] as number[] }
  let sending = 0
  const connection = async () => {
    while (performance.now() < endMs) {
      const body = bodies[sending % bodies.length] as LoadBody
      const bytes = renew(body, sending++)
      const sentMs = performance.now()
      const status = await post(agent, url, key, body.encoding, bytes)
      result.ackMs.push(performance.now() - sentMs)
      if (status === 200) result.spans += body.spans
      else result.refused++
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  agent.destroy()
  return { ...result, seconds: (performance.now() - startedMs) / 1000 }
}

function post(agent: Agent, url: string, key: string, encoding: LoadBody['encoding'], bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
      'content-length': bytes.length,
    }
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })
}
