/*
 * What secrets look like (contract §2). Patterns run over one string value whose bytes are read as Latin-1, so that a
 * place in the text is a place in the bytes. Each is linear in the length of the text: a run of token characters is
 * entered only at its start, and nothing is tried again within it. No pattern repeats without bound, since a regular
 * expression needs stack for every character that it repeats: a secret longer than what its pattern takes is followed
 * to its end by `run`.
 */

interface SecretShape {
  /** Its one group is what is overwritten. What stands before it stays, so that a reader sees what kind of secret it was. */
  pattern: RegExp
  /** Characters that carry a secret on behind its pattern. */
  run?: ReadonlySet<number>
  /** Judges what was found, to the end of its run; `rest` begins there. */
  accepts?: (secret: string, text: string, rest: number) => boolean
}

/** Characters that a pattern takes of a secret at most, before its run. */
const HEAD_MAX = 64
/** Shorter than any real key, longer than the words that only begin like one. */
const TOKEN = `[A-Za-z0-9_-]{8,${HEAD_MAX}}`
const NOT_IN_WORD = '(?<![A-Za-z0-9])'

const WORD_RUN = charactersOf(/[A-Za-z0-9_-]/)
const DOTTED_RUN = charactersOf(/[A-Za-z0-9_.-]/)
const CREDENTIAL_RUN = charactersOf(/[A-Za-z0-9._~+/=-]/)
const VALUE_RUN = charactersOf(/[^\0- "',;&]/)
const VISIBLE_RUN = charactersOf(/[^\0- ]/)

const SHAPES: readonly SecretShape[] = [
  // OpenAI, Anthropic and those who copied them. Words like `sk-circle` have no digit and are short.
  {
    pattern: new RegExp(`${NOT_IN_WORD}sk-(?:ant-)?((?=[A-Za-z_-]{0,19}[0-9]|[A-Za-z0-9_-]{20})${TOKEN})`, 'dg'),
    run: WORD_RUN,
  },
  // GitHub, GitLab, Slack, npm, and our own keys.
  {
    pattern: new RegExp(`(?:gh[oprsu]_|github_pat_|glpat-|lk_(?:ingest|agent|dashboard)_|xox[a-z]-)(${TOKEN})`, 'dg'),
    run: DOTTED_RUN,
  },
  { pattern: /npm_([A-Za-z0-9]{16,64})/dg, run: WORD_RUN },
  // AWS and Google.
  { pattern: /AKIA([0-9A-Z]{12,64})/dg, run: WORD_RUN },
  { pattern: /AIza([0-9A-Za-z_-]{20,64})/dg, run: WORD_RUN },
  // JSON web tokens: header, payload, signature, or the five parts of an encrypted one. `{` begins the header.
  { pattern: /(?<![A-Za-z0-9_-])(e[yw][A-Za-z0-9_-]{9,64})/dg, run: DOTTED_RUN, accepts: isWebToken },
  // Private keys; one whose end was cut off reaches to the end of the text.
  { pattern: /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----([\s\S]+?)(?:-----END|$)/dg },
  // The password of a URL, up to the last @ before the path.
  { pattern: /:\/\/[^\0- "'<>/?#@:]{0,1024}:([^\0- "'<>/?#]{1,1024})@/dg },
  // HTTP credentials. A token is the whole rest of the text, the value of its header, a text in quotes, or no word of a sentence.
  {
    pattern: /^bearer {1,8}(?!realm=)([^\0- ]{1,64})/dgi,
    run: VISIBLE_RUN,
    accepts: (_secret, text, rest) => text.slice(rest).trim() === '',
  },
  { pattern: /authorization["']? {0,4}[:=] {0,4}["']?bearer {1,8}([^\0- "',;&]{1,64})/dgi, run: VALUE_RUN },
  { pattern: /(?<=["'])bearer {1,8}([A-Za-z0-9._~+/=-]{1,64})(?=["'])/dgi },
  {
    pattern: new RegExp(
      `${NOT_IN_WORD}bearer {1,8}(?!realm=)((?=[A-Za-z]{0,15}[0-9][A-Za-z0-9._~+/=-]{0,62})[A-Za-z0-9._~+/=-]{6,64}|` +
        '(?=[A-Za-z]{0,15}[._~+/=-]|[A-Za-z]{16})[A-Za-z0-9._~+/=-]{8,64})',
      'dgi',
    ),
    run: CREDENTIAL_RUN,
  },
  { pattern: /(?<![A-Za-z0-9])basic {1,8}([A-Za-z0-9+/_-]{4,64})/dgi, run: CREDENTIAL_RUN, accepts: isUserAndPassword },
]

function charactersOf(pattern: RegExp): ReadonlySet<number> {
  return new Set(Array.from({ length: 256 }, (_, code) => code).filter((code) => pattern.test(String.fromCharCode(code))))
}

/** Tells credentials from a word: `Basic usage` is base64 too. */
function isUserAndPassword(base64: string): boolean {
  return Buffer.from(base64, 'base64').includes(':')
}

/** Three parts at least, the last of which may be empty; the first is JSON. */
function isWebToken(token: string): boolean {
  const second = token.indexOf('.')
  const third = token.indexOf('.', second + 1)
  return second > 8 && third > second + 2 && Buffer.from(token.slice(0, 8), 'base64').toString('latin1').startsWith('{')
}

/** Where in this text secrets are: pairs of first and behind last. */
export function secretRanges(text: string): [number, number][] {
  const ranges: [number, number][] = []
  for (const { pattern, run, accepts } of SHAPES) {
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [from, headEnd] = match.indices![1]!
      const to = run === undefined ? headEnd : runEnd(text, headEnd, run)
      if (accepts?.(text.slice(from, to), text, to) !== false) ranges.push([from, to])
      pattern.lastIndex = Math.max(pattern.lastIndex, to)
    }
  }
  return ranges
}

/** A full stop behind a secret ends the sentence, not the secret. */
function runEnd(text: string, from: number, run: ReadonlySet<number>): number {
  let to = from
  while (to < text.length && run.has(text.charCodeAt(to))) to++
  return to > from && text[to - 1] === '.' ? to - 1 : to
}
