import { callApi } from './http.ts'

/** A record as `/v1/telemetry` and `/v1/sessions/{id}` answer it (contract §4): the fields tests compare. */
export interface RecordJson {
  record_id: string
  kind: string
  trace_id: string
  span_id: string
  parent_span_id: string | null
  session_id: string
  name: string
  service: string
  operation: string
  tool: string | null
  span_kind: number
  signal_type: string | null
  start_unix_nano: string
  end_unix_nano: string | null
  status: { code: number; message: string }
  attributes: Record<string, unknown>
  events: { name: string; time_unix_nano: string; attributes: Record<string, unknown> }[]
  links: { trace_id: string; span_id: string; attributes: Record<string, unknown> }[]
  resource: { attributes: Record<string, unknown>; schema_url: string }
  scope: { name: string; version: string; attributes: Record<string, unknown> }
  trace_state: string
  flags: number
}

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

const PAGES_MAX = 200

/** One JSON answer; rejects with the body where the status is not 200. */
export async function readJson<T>(url: string, key: string): Promise<T> {
  const answer = await callApi(url, { key })
  if (answer.status !== 200) throw new Error(`GET ${url} answered ${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer.json<T>()
}

/** All items of a paged list, following its cursor. `url` may hold a query. */
export async function readAll<T>(url: string, key: string): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const next = new URL(url)
    if (cursor !== null) next.searchParams.set('cursor', cursor)
    const answer: Page<T> = await readJson(next.href, key)
    items.push(...answer.items)
    if (answer.next_cursor === null) return items
    cursor = answer.next_cursor
  }
  throw new Error(`${url} has more than ${PAGES_MAX} pages`)
}
