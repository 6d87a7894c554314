import type { RequestFacts } from '../http/request-facts.ts'

/** Stands for a request where the start itself changes something, so that the audit says who did it. */
export function startFacts(): RequestFacts {
  return {
    id: 'start',
    method: 'START',
    route: 'first-start',
    address: 'local',
    loopback: true,
    traceId: null,
    key: null,
    caller: null,
    admin: false,
    body: undefined,
    bodyDigest: null,
    audited: false,
  }
}
