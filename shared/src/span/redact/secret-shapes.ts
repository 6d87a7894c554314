/*
 * What secrets look like (contract §2). Patterns run over one string value whose bytes are read as Latin-1, so that a
 * place in the text is a place in the bytes. Each is linear in the length of the text: a run of token characters is
 * entered only at its start, and nothing is tried again within it.
 */

/** Shorter than any real key, longer than the words that only begin like one. */
const TOKEN = '[A-Za-z0-9_-]{8,}'

interface SecretShape {
  /** Its one group is what is overwritten. What stands before it stays, so that a reader sees what kind of secret it was. */
  pattern: RegExp
  accepts?: (secret: string) => boolean
}

const SHAPES: readonly SecretShape[] = [
  // OpenAI, Anthropic and those who copied them. Words like `sk-circle` have no digit and are short.
  { pattern: /(?<![A-Za-z0-9])sk-(?:ant-)?((?=[A-Za-z_-]{0,19}[0-9]|[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{8,})/dg },
  // GitHub, GitLab, Slack, npm, and our own keys.
  {
    pattern: new RegExp(
      `(?:gh[oprsu]_|github_pat_|glpat-|lk_(?:ingest|agent|dashboard)_|xox[a-z]-)(${TOKEN}(?:\\.[A-Za-z0-9_-]+)*)`,
      'dg',
    ),
  },
  { pattern: /npm_([A-Za-z0-9]{16,})/dg },
  // AWS and Google.
  { pattern: /AKIA([0-9A-Z]{12,})/dg },
  { pattern: /AIza([0-9A-Za-z_-]{20,})/dg },
  // JSON web tokens: header, payload, signature, or the five parts of an encrypted one.
  { pattern: /(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){1,3})/dg },
  // Private keys; one whose end was cut off reaches to the end of the text.
  { pattern: /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----([\s\S]+?)(?:-----END|$)/dg },
  // The password of a URL, up to the last @ before the path.
  { pattern: /:\/\/[^\0- "'<>/?#@:]*:([^\0- "'<>/?#]+)@/dg },
  // HTTP credentials. A token is the whole rest of the text, or no word of a sentence.
  { pattern: /^bearer {1,8}([^\0- ]+) *$/dgi },
  { pattern: /(?<![A-Za-z0-9])bearer {1,8}((?=[A-Za-z]{0,15}[0-9._~+/=-]|[A-Za-z]{16})[A-Za-z0-9._~+/=-]{8,})/dgi },
  { pattern: /(?<![A-Za-z0-9])basic {1,8}([A-Za-z0-9+/_-]{4,}={0,2})/dgi, accepts: isUserAndPassword },
]

/** Tells credentials from a word: `Basic usage` is base64 too. */
function isUserAndPassword(base64: string): boolean {
  return Buffer.from(base64, 'base64').includes(':')
}

/** Where in this text secrets are: pairs of first and behind last. */
export function secretRanges(text: string): [number, number][] {
  const ranges: [number, number][] = []
  for (const { pattern, accepts } of SHAPES)
    for (const match of text.matchAll(pattern)) {
      const range = match.indices?.[1]
      if (range !== undefined && accepts?.(match[1]!) !== false) ranges.push(range)
    }
  return ranges
}
