import type { TakeLimit } from '../door.ts'
import { doorErrors, fail } from '../errors.ts'
import { limitAddress } from '../request-facts.ts'
import { type Limit, limitHeaders } from './sliding-log.rules.ts'
import type { SlidingLog } from './sliding-log.ts'

/** Counts a contract's named limit per client address. */
export function createTakeLimit(log: SlidingLog, limits: readonly Limit[]): TakeLimit {
  const byName = new Map(limits.map((limit) => [limit.name, limit]))
  return (name, address) => {
    const limit = byName.get(name)
    if (!limit) throw new Error(`no limit is named ${name}`)
    const verdict = log.take(limit, `${name} ${limitAddress(address)}`)
    const headers = limitHeaders(limit, verdict)
    if (!verdict.allowed)
      fail(doorErrors.rateLimited, `${limit.max} a minute; come back in ${headers['retry-after']} s`, { headers })
    return headers
  }
}
