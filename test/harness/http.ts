export interface ApiRequest {
  method?: string
  key?: string
  json?: unknown
  body?: string | Uint8Array
  headers?: Record<string, string>
}

export interface ApiAnswer {
  status: number
  headers: Headers
  text: string
  bytes: Uint8Array
  /** The body as JSON; throws with the body in the message where it is none. */
  json<T = Record<string, unknown>>(): T
}

/** One request, the whole answer. Rejects on network errors only. */
export async function callApi(url: string, { method, key, json, body, headers }: ApiRequest = {}): Promise<ApiAnswer> {
  const sent = json === undefined ? body : JSON.stringify(json)
  const response = await fetch(url, {
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: sent as RequestInit['body'],
  })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = Buffer.from(bytes).toString()
  return {
    status: response.status,
    headers: response.headers,
    text,
    bytes,
    json: <T>() => {
      try {
        return JSON.parse(text) as T
      } catch {
        throw new Error(`${method ?? ''} ${url} answered ${response.status} without JSON: ${text.slice(0, 300)}`)
      }
    },
  }
}

/** Sends an OTLP body; protobuf for bytes, JSON else. */
export function sendOtlp(otlpUrl: string, key: string, body: unknown, signal: 'traces' | 'logs' | 'metrics' = 'traces') {
  const url = `${otlpUrl}/v1/${signal}`
  return body instanceof Uint8Array
    ? callApi(url, { key, body, headers: { 'content-type': 'application/x-protobuf' } })
    : callApi(url, {
        key,
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
}

/** Asks again until `read` answers something other than null; fails with `what` when the deadline passes. */
export async function until<T>(
  what: string,
  read: () => Promise<T | null> | T | null,
  deadlineMs = 15_000,
  pauseMs = 50,
): Promise<T> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const found = await read()
    if (found !== null) return found
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
