/** Distinct failures of one project that are told apart: rows, memory and every diagnosis are bounded by it. */
export const FINGERPRINTS_MAX = 100_000
/** Of what comes beyond them: the only key that depends on the order in which failures came. */
export const OVERFLOW_KEY = new Uint8Array(16).fill(0xff)
/** The same in hex. */
export const OVERFLOW_FINGERPRINT = 'ff'.repeat(16)
