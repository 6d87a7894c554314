import { significantLines } from './lines.ts'

/** Longer texts are cut: a message's meaning stands at its beginning, and the cost stays bounded. */
export const TEMPLATE_INPUT_MAX_CHARS = 8_192

/** Beyond this many tokens a message is payload. */
const TOKENS_MAX = 160

/** Stands for a value while tokens are cut; a character that no text holds after decoding is not needed, it only must not be a space. */
const MARK = '\uFFFC'

/** Where a value was. */
const SLOT = '*'

/** What is matched but kept: names that carry a digit and are no value, and values that are the meaning of the message. */
const KEEP = 'keep'

/**
 * The kinds of values, in the order in which they are tried at each place. Each is bounded and none nests one repetition in another
 * over the same characters, so the combined expression is linear in the text.
 */
const KINDS: readonly (readonly [name: string, pattern: string])[] = [
  [
    'keep',
    String.raw`(?<![\w.-])(?:utf-?(?:8|16|32)|(?:HTTP|TLS|SSL|TLSv|IPv|HTTPS)[\/v ]?[1-6](?:\.\d)?|(?:sha|md|base|int|uint|float|x|x86_|oauth|s|ec|h|log4|gpt-|claude-|o|python|java|node|iso-?8859-?)\d{1,4}(?:\.\d{1,2})?(?:o|-mini|-turbo|-latest)?|k8s|p\d\d)(?![\w-])|\b(?:status(?: code)?|returned|responded with|HTTP|SQLSTATE|errno|exit code|code)[ :=]{1,3}\d{3}(?![\w.,-])|\b\w{0,30}(?:reason|status|state|code|type|kind|level|method)["']?[=:] ?["']?[A-Za-z_]{2,40}(?![\w*])`,
  ],
  ['email', String.raw`(?<![\w.+-])[\w.+-]{1,64}@[\w-][\w.-]{0,253}`],
  ['url', String.raw`(?<![\w])[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>]{1,2048}`],
  ['uuid', String.raw`(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])`],
  ['traceparent', String.raw`(?<![0-9a-f])[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-f])`],
  [
    'time',
    String.raw`(?<!\d)(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2})(?:,? \d{4})?,? \d{1,2}:\d\d:\d\d(?: \d{4})?(?: (?:GMT|UTC|[+-]\d{4}))?|(?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ,]{1,2}\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?|(?<!\d)\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?`,
  ],
  [
    'path',
    String.raw`(?<![\w*])(?:[a-z]:\\|(?:~|\.{1,2})?\/)[\w.@%+~\\\/:=&?#$-]{1,1024}|(?<![\w])[\w.@-]{1,128}\/[\w.@%+~\/-]{1,512}\.\w{1,8}\b`,
  ],
  [
    'file',
    String.raw`(?<![\w.-])[\w.-]{1,128}\.(?:pdf|txt|csv|tsv|json|jsonl|xml|ya?ml|html?|md|log|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|zip|gz|tar|parquet|db|sqlite)(?![\w.])`,
  ],
  [
    'host',
    String.raw`(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|edu|gov|io|dev|app|cloud|internal|local|localdomain|lan|svc)(?::\d{1,5})?(?![\w.-])|(?<![\w.-])(?:[a-z0-9-]{1,63}\.){2,8}[a-z]{2}(?::\d{1,5})?(?![\w.(-])`,
  ],
  [
    'ip',
    String.raw`(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?![\w])|(?<![\w:])[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])`,
  ],
  [
    'quantity',
    String.raw`(?<![\w.])[-+]?\d[\d.,]{0,30} ?(?:ms|us|µs|ns|s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?|[kmgt]i?b|bytes?|tokens?|%)(?!\w)`,
  ],
  ['hex', String.raw`(?<![\w])0x[0-9a-f]{1,64}(?!\w)|(?<![0-9a-z])(?=[a-f]{0,63}\d)(?=\d{0,63}[a-f])[0-9a-f]{6,128}(?![0-9a-z])`],
  ['id', String.raw`(?<![A-Za-z0-9])[A-Za-z_-]{0,40}\d[\w-]{0,200}`],
  [
    'identity',
    String.raw`(?<=\b(?:user|username|login|account|customer|tenant|player|member) )(?!(?:not|is|was|has|had|does|did|do|can|cannot|could|must|should|may|will|with|without|for|from|in|on|at|of|or|and|to|by|the|a|an|that|already|unknown|name|id|input|agent|data|account|profile|session|request|error|limit|access|token|password|permission|permissions|credentials|messages?|record|table|service)\b)[A-Za-z][\w.-]{0,63}(?= (?:not|is|was|has|does|from|by|at|in|on|already|cannot|could|failed|\[)|[.,;)\]]?$)|(?<=\bpassword for )[A-Za-z][\w.-]{0,63}(?= from )`,
  ],
  [
    'pair',
    String.raw`(?<=[\w"'][=])"[^"\n]{0,2000}"|(?<=[\w"'][=])'(?:[^'\n]|'(?=\w)){0,2000}'|(?<=\w=)[^\s,;"'()\[\]{}]{1,500}`,
  ],
  [
    'quoted',
    String.raw`(?<=: ?)"(?:[^"\n]|"(?=\w)){1,2000}(?:"|$)|(?<=: ?)'(?:[^'\n]|'(?=\w)){1,2000}(?:'|$)|(?<![\w])'(?=[^'\n]{0,64}\s)(?:[^'\n]|'(?=\w)){1,2000}'(?!\w)|(?<![\w])"(?=[^"\n]{0,64}\s)[^"\n]{1,2000}"`,
  ],
  ['number', String.raw`[-+]?\d[\d.,]{0,60}`],
]

const VALUES = new RegExp(KINDS.map(([name, pattern]) => `(?<${name}>${pattern})`).join('|'), 'giu')

/**
 * The constant part of an error text: values become `*`, so that the same failure has the same template whatever it failed on.
 * Stateless and linear: the same text always gives the same template, in any order, shard or replay.
 */
export function templateOf(text: string): string {
  const marked = significantLines(text.slice(0, TEMPLATE_INPUT_MAX_CHARS)).replace(VALUES, (match, ...rest) => {
    const groups = rest.at(-1) as Record<string, string | undefined>
    return groups[KEEP] === undefined ? MARK : match
  })
  const tokens: string[] = []
  for (const word of marked.split(/\s+/)) {
    if (word === '') continue
    const token = word.includes(MARK) ? tokenWithSlot(word) : word
    if (tokens.at(-1)?.endsWith(SLOT) && (token === SLOT || BRACKETS.test(token))) continue
    if (tokens.length === TOKENS_MAX) break
    tokens.push(token)
  }
  return tokens.join(' ')
}

/** An empty pair or a separator beside a value belongs to it. */
const BRACKETS = /^[()[\]{}<>,;|-]+$/

/** What stands before the value in its token and names it: `rhost=`, `onExtend:`, `<memory:`; nothing else of the token is constant. */
const NAME_BEFORE_SLOT = /^[^\uFFFC]{0,80}[A-Za-z][^\uFFFC]{0,20}?(?:[:=(<[{]["']?|\.{2,80})(?=\uFFFC)/

function tokenWithSlot(word: string): string {
  const name = NAME_BEFORE_SLOT.exec(word)?.[0]
  return name === undefined ? SLOT : `${name}${SLOT}`
}
