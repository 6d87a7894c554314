import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'

/** Who calls, as the key says. */
export interface Caller {
  projectNo: number
  projectId: string
  projectName: string
  operator: string
  tenantId: string
  keyId: string
  kind: 'producer' | 'agent' | 'dashboard'
  scopes: readonly string[]
  sandbox: boolean
  expired: boolean
}

/** What the door knows about one request. Filled in as the request passes it; never logged as a whole, since `key` is a secret. */
export interface RequestFacts {
  readonly id: string
  readonly method: string
  /** The route's template, never the path itself; null until one matched. */
  route: string | null
  readonly address: string
  readonly loopback: boolean
  /** W3C trace id of the caller's `traceparent`, for the log. */
  readonly traceId: string | null
  /** The key as presented. Secret. */
  key: string | null
  caller: Caller | null
  admin: boolean
  /** The parsed body and its digest, for the audit. */
  body: unknown
  bodyDigest: string | null
  /** Whether a change was audited in its own transaction. */
  audited: boolean
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/
const REQUEST_ID_BYTES = 12

export function factsOf(request: IncomingMessage): RequestFacts {
  const given = request.headers['x-request-id']
  const address = clientAddress(request.socket.remoteAddress)
  return {
    id:
      typeof given === 'string' && REQUEST_ID.test(given) ? given : `req_${randomBytes(REQUEST_ID_BYTES).toString('base64url')}`,
    method: request.method ?? 'GET',
    route: null,
    address,
    loopback: isLoopback(address),
    traceId: TRACE_PARENT.exec(String(request.headers.traceparent ?? ''))?.[1] ?? null,
    key: null,
    caller: null,
    admin: false,
    body: undefined,
    bodyDigest: null,
    audited: false,
  }
}

/** The peer's address; IPv4 in IPv6 clothing reads as IPv4. Forwarding headers are not believed. */
export function clientAddress(remote: string | undefined): string {
  if (!remote) return 'unknown'
  const bare = remote.split('%')[0] ?? remote
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice('::ffff:'.length) : bare
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)
}

/** What one client is counted by: its address, of IPv6 the first 64 bits, since a host owns a whole /64. */
export function limitAddress(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0')
  return `${[...groups, ...zeros, ...rest].slice(0, 4).join(':')}::/64`
}

export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}
