import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Scope } from './contract.ts'
import { doorErrors, fail } from './errors.ts'
import type { Caller } from './request-facts.ts'

/** A key as the database knows it. */
export interface StoredKey extends Omit<Caller, 'expired'> {
  keyHash: Uint8Array
  keyExpiresAtMs: number | null
  revokedAtMs: number | null
  projectDeleted: boolean
  projectExpiresAtMs: number | null
}

/** Reads one key by its hash from the database itself: no cache, so a revoked key is dead on the next request. */
export type FindKey = (keyHash: Uint8Array) => StoredKey | null

export interface AuthDeps {
  findKey: FindKey
  nowMs: () => number
  /** Told of every key that was accepted, with the time. */
  onUsed?: (caller: Caller, nowMs: number) => void
}

/** Turns a presented key into its caller, or refuses with 401. An ended sandbox is still a caller, with `expired` set. */
export type Authenticate = (key: string) => Caller

/** Longest key that is looked at, in characters: ours have 60. */
const KEY_MAX_CHARACTERS = 512
/** What every 401 carries (RFC 9110 §11.6.1). */
export const UNAUTHORIZED = { headers: { 'www-authenticate': 'Bearer realm="loopkit"' } }
/** What stands in `.env.example` files; it must never open anything. */
const PLACEHOLDER_TOKEN = 'CHANGE_ME_ADMIN_TOKEN'

export function createAuthenticate({ findKey, nowMs, onUsed }: AuthDeps): Authenticate {
  return (key) => {
    const keyHash = sha256(key)
    const found = key.length > 0 && key.length <= KEY_MAX_CHARACTERS ? findKey(keyHash) : null
    if (!found || !timingSafeEqual(found.keyHash, keyHash)) fail(doorErrors.invalidKey, 'this key is not known', UNAUTHORIZED)
    const now = nowMs()
    if (found.revokedAtMs !== null || found.projectDeleted) fail(doorErrors.keyRevoked, 'this key was revoked', UNAUTHORIZED)
    if (found.keyExpiresAtMs !== null && found.keyExpiresAtMs <= now) {
      fail(doorErrors.keyExpired, 'this key has expired', UNAUTHORIZED)
    }
    const { keyHash: _, keyExpiresAtMs: _e, revokedAtMs: _r, projectDeleted: _d, projectExpiresAtMs, ...known } = found
    const caller = { ...known, expired: projectExpiresAtMs !== null && projectExpiresAtMs <= now }
    onUsed?.(caller, now)
    return caller
  }
}

/** The key of a request: `Authorization: Bearer` or `X-T4-API-KEY`. Two that differ are refused rather than one of them chosen. */
export function presentedKey(request: IncomingMessage): string | null {
  const keys = new Set<string>()
  const { rawHeaders } = request
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    const value = rawHeaders[at + 1]!.trim()
    if (name === 'authorization') keys.add(bearerToken(value))
    if (name === 'x-t4-api-key') keys.add(value)
  }
  if (keys.size > 1) fail(doorErrors.ambiguousCredentials, 'send one key, once')
  return keys.values().next().value ?? null
}

/** Another scheme than Bearer is a key that nobody has. */
function bearerToken(value: string): string {
  return /^bearer +(\S+)$/i.exec(value)?.[1] ?? ''
}

export function missingKey(): never {
  return fail(doorErrors.missingKey, 'send the key as "Authorization: Bearer <key>"', UNAUTHORIZED)
}

/** Refuses a caller whose sandbox has ended, or whose key lacks one of these scopes. */
export function requireScopes(caller: Caller, scopes: readonly Scope[]): void {
  if (caller.expired) refuseExpired()
  const missing = scopes.filter((scope) => !hasScope(caller.scopes, scope))
  if (missing.length > 0) fail(doorErrors.insufficientScope, `this call needs ${missing.join(' ')}`)
}

export function refuseExpired(): never {
  return fail(doorErrors.sandboxExpired, 'this sandbox has ended; POST /v1/signup/upgrade makes it permanent')
}

/** Whether granted scopes hold this one: by name, or as `family:*`. */
export function hasScope(granted: readonly string[], wanted: Scope): boolean {
  return granted.includes(wanted) || granted.includes(`${wanted.split(':')[0]}:*`)
}

/** Refuses anything but the admin token. With none configured there are no admin routes, whatever is sent. */
export function createAdminCheck(adminToken: string | null): (presented: string | null) => void {
  const enabled = adminToken !== null && adminToken !== '' && adminToken !== PLACEHOLDER_TOKEN
  return (presented) => {
    if (!enabled) fail(doorErrors.adminDisabled, 'set T4_ADMIN_TOKEN to use the admin routes')
    if (presented === null || !timingSafeEqual(sha256(presented), sha256(adminToken))) {
      fail(doorErrors.invalidAdminToken, 'send the admin token as "Authorization: Bearer <token>"', UNAUTHORIZED)
    }
  }
}

/** What the database stores in place of a key. One round is enough: a key has 256 random bits. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
