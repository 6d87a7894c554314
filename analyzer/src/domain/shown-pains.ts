/**
 * Pains that the pages before have shown, as a cursor carries them: ranks change while failures come, so a place in the order of one
 * moment would show a pain twice or never.
 */
export interface ShownPains {
  /** Beginnings of fingerprints, the latest last. */
  named: readonly string[]
  /** Shown before those. */
  unnamed: number
}

/** 48 bits: of a thousand pains two begin alike once in five hundred million. */
const HEX_CHARACTERS = 12
const TEXT_CHARACTERS = 8
/** Some four kB in an address. Who reads on beyond it sees the order of each page's moment. */
const NAMED_MAX = 500

export const NONE_SHOWN: ShownPains = { named: [], unnamed: 0 }

export function addShown({ named, unnamed }: ShownPains, fingerprints: readonly string[]): ShownPains {
  const all = [...named, ...fingerprints.map(beginningOf)]
  const cut = Math.max(0, all.length - NAMED_MAX)
  return { named: all.slice(cut), unnamed: unnamed + cut }
}

/** Without those that were shown. */
export function withoutShown<P extends { fingerprint: string }>(ranked: readonly P[], { named, unnamed }: ShownPains): P[] {
  const before = new Set(named)
  return ranked.filter(({ fingerprint }) => !before.has(beginningOf(fingerprint))).slice(unnamed)
}

/** As text: eight characters each. */
export function packShown(named: readonly string[]): string {
  return Buffer.from(named.join(''), 'hex').toString('base64url')
}

export function unpackShown(text: string): string[] {
  const hex = Buffer.from(text, 'base64url').toString('hex')
  return Array.from({ length: Math.floor(text.length / TEXT_CHARACTERS) }, (_, at) =>
    hex.slice(at * HEX_CHARACTERS, (at + 1) * HEX_CHARACTERS),
  )
}

const beginningOf = (fingerprint: string) => fingerprint.slice(0, HEX_CHARACTERS)
