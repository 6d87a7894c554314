const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }
/** The longest a timer of Node's runs, in ms. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** How long the caller waits, from `grpc-timeout` (at most eight digits and a unit), in ms; null where it does not say. */
export function parseCallTimeoutMs(header: string | undefined): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header ?? '')
  return match ? Math.min(Math.ceil(Number(match[1]) * UNIT_MS[match[2]!]!), TIMER_MAX_MS) : null
}
