/** What is matched but kept: names that carry a digit and are no value, and values that are the meaning of the message. */
export const KEEP = 'keep'

/** Not after a name that announces the meaning itself: `"message": "…"`, `TypeError: 'NoneType' object …`, `desc = "…"`. */
const NO_MEANING = `(?<!(?:error|exception|message|msg|detail|reason|desc|description|title)["']? ?[:=] ?)`

const MONTHS =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)'

/**
 * Letters that were drawn, as of `call_mtdJXllvUJgPhcLnBGHlLBtN`: case changes too often for a name. Apart from the kinds below, which do not
 * look at case: where a group among them did (`(?-i:…)`), V8 13.6 came to look at case in all of them, in processes that had compiled
 * many expressions and in no others.
 */
export const DRAWN =
  '(?<![A-Za-z0-9])(?=[A-Za-z_-]{16,80}(?![A-Za-z0-9]))(?:[a-z]{2,10}[_-])?(?=(?:[A-Za-z]{0,12}?[a-z][A-Z]){3})(?=(?:[A-Za-z]{0,16}?[A-Z][a-z]{1,2}(?=[A-Z])){2})(?=[A-Za-z]{0,64}?[A-Z]{2})[A-Za-z_-]{16,80}'

/** Where a quotation begins: a mark after a word or a bracket ends one. */
const OPENS = String.raw`(?<=^|[\s([{=:,<>|])`

/** A request's line as servers log it: what was asked for is the meaning of the line, not a quotation. */
const NO_REQUEST = `(?!.(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT) )`

/** Not one of the files that code stands in: `main.go:12` is no host. */
const NO_CODE = String.raw`(?!\.?(?:[cm]?[jt]sx?|py|go|rs|rb|java|kt|scala|php|cs?|cc|cpp|hpp?|swift|exs?|erl|lua|sh|sql):)`

/** What announces a text that came from outside. */
const GIVEN = 'parsing|parse|value|input|literal|text|string|entry|query|output|content'

/** After a colon; after a word that announces it; or of several words. */
const QUOTATIONS = [
  ...['"', "'", '`'].map(
    (mark) => `(?<=: ?)${NO_MEANING}${NO_REQUEST}${mark}(?:[^${mark}\\n]|${mark}(?=\\w)){1,2000}(?:${mark}|$)`,
  ),
  ...['"', "'", '`'].map((mark) => `(?<=\\b(?:${GIVEN}) )${mark}[^${mark}\\n]{1,1000}${mark}(?!\\w)`),
  String.raw`${OPENS}${NO_MEANING}'(?=[^'\n]{0,64}\s)(?:[^']|'(?=\w)){1,1000}'(?!\w)`,
  ...['"', '`'].map((mark) => `${OPENS}${NO_MEANING}${NO_REQUEST}${mark}(?=[^${mark}\\n]{0,64}\\s)[^${mark}]{1,1000}${mark}`),
]

/**
 * The kinds of values, in the order in which they are tried at each place. Every repetition is bounded and none nests another over the
 * same characters, so the combined expression is linear in the text; what a bound leaves over falls to the token around it.
 */
export const VALUE_KINDS: readonly (readonly [name: string, pattern: string])[] = [
  [
    KEEP,
    String.raw`(?<![\w.-])(?:utf-?(?:8|16|32)|(?:HTTP|TLS|SSL|TLSv|IPv|HTTPS)[\/v ]?[1-6](?:\.\d)?|(?:sha|md|base|int|uint|float|gpt-|claude-|python|java|iso-?8859-?)\d{1,4}(?:\.\d{1,2})?(?:o|-mini|-turbo|-latest)?|oauth2|s3|ec2|h2|x(?:86(?:_64)?|64|509)|log4j2?|k8s|i18n|p\d\d)(?![\w-])|(?<![\w.-])(?:gpt|claude|gemini|llama|mistral|mixtral|qwen|deepseek|grok)[-\d][\w.-]{0,60}|(?<![\w-])(?:ORA|TNS|PLS)-\d{5}(?!\w)|\bSQLSTATE[ :=[]{1,3}[0-9A-Z]{5}(?!\w)|\b(?:errno|exit(?:ed)?(?: with)?(?: code| status)|by signal)[ :=]{1,3}-?\d{1,5}(?![\w.,-])|\b(?:status(?: code)?|returned|responded with|HTTP|SQLSTATE|errno|exit code|code)[ :=]{1,3}\d{3}(?![\w.,-]|:? \w{1,20}[:=] ?\d)|\b\w{0,30}(?:reason|status|state|code|type|kind|level|method)["']?[=:] ?["']?[A-Za-z_]{2,40}(?![\w*])`,
  ],
  ['email', String.raw`(?<![\w.+-])[\w.+-]{1,64}@[\w-][\w.-]{0,253}`],
  ['url', String.raw`(?<![\w])[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>]{1,256}|(?<![\w])arn:[\w:*/.+=@-]{1,256}`],
  ['uuid', `(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])`],
  ['traceparent', `(?<![0-9a-f])[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-f])`],
  [
    'time',
    String.raw`(?<!\d)(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2})(?:,? \d{4})?,? \d{1,2}:\d\d:\d\d(?: \d{4})?(?: (?:GMT|UTC|[+-]\d{4}))?|(?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ,]{1,2}\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d| (?:UTC|GMT)\b)?)?|(?<![\d.])\d{1,2}[/.]\d{1,2}[/.]\d{4},? \d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M\b)?|(?<!\d)\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[AP]M\b)?(?: (?:UTC|GMT)\b)?|(?<!\d)\d{1,2}:\d\d ?[AP]M\b|\b${MONTHS} \d{1,2}(?:st|nd|rd|th)?,? \d{4}\b|(?<!\d)\d{1,2}\.? ${MONTHS} \d{4}\b`,
  ],
  [
    'path',
    String.raw`(?<![\w*])(?:[a-z]:\\|(?:~|\.{1,2})?\/)[\w.@%+~\\\/:=&?#$-]{0,256}|(?<![\w])[\w.@-]{1,64}\/[\w.@%+~\/-]{1,160}\.\w{1,8}\b`,
  ],
  [
    'file',
    String.raw`(?<![\w.-])[\w.-]{1,128}\.(?:pdf|txt|csv|tsv|json|jsonl|xml|ya?ml|html?|md|log|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|zip|gz|tar|parquet|db|sqlite)(?![\w.])`,
  ],
  [
    'host',
    String.raw`(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,8}(?:(?:com|net|org|edu|gov|io|dev|app|cloud|internal|local|localdomain|lan|svc)(?::\d{1,5})?(?![\w.-])|${NO_CODE}[a-z]{2,24}:\d{1,5}(?![\w.:-]))|(?<![\w.-])(?:[a-z0-9-]{1,63}\.){2,8}[a-z]{2}(?::\d{1,5})?(?![\w.(-])`,
  ],
  [
    'ip',
    String.raw`(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?(?![\w])|(?<![\w:])[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])|(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])`,
  ],
  [
    'quantity',
    String.raw`(?<![\w.])[-+]?\d[\d.,]{0,30} ?(?:ms|us|µs|ns|s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?|(?:[kmgt]i?)?b|bytes?|tokens?|%)(?!\w)`,
  ],
  [
    'hex',
    String.raw`(?<![\w])0x[0-9a-f]{1,64}(?!\w)|(?<![0-9a-z])(?=[a-f]{0,63}\d)(?=\d{0,63}[a-f])[0-9a-f]{6,128}(?![0-9a-z])|(?<![0-9a-z])[a-f]{8,128}(?![0-9a-z])`,
  ],
  ['id', String.raw`(?<![A-Za-z0-9])[A-Za-z_-]{0,40}\d[\w-]{0,200}`],
  [
    'identity',
    String.raw`(?<=\b(?:user|username|login|account|customer|tenant|player|member) )(?!(?:not|is|was|has|had|does|did|do|can|cannot|could|must|should|may|will|with|without|for|from|in|on|at|of|or|and|to|by|the|a|an|that|already|unknown|name|id|input|agent|data|account|profile|session|request|error|limit|access|token|password|permission|permissions|credentials|messages?|record|table|service)\b)[A-Za-z][\w.-]{0,63}(?= (?:not|is|was|has|does|from|by|at|in|on|already|cannot|could|failed|\[)|[.,;)\]]?$)|(?<=\bfor )[A-Za-z][\w.-]{0,63}(?= from [\d:a-f]{0,4}[.:])|(?=["'])(?<=\b(?:user|username|login|account|customer|tenant|player|member) )["'][\w.@+-]{1,64}["']|(?<=\d - )[\w.@-]{1,64}(?= \[)`,
  ],
  [
    'pair',
    String.raw`(?<=[\w"'][=])"[^"\n]{0,2000}"|(?<=[\w"'][=])'(?:[^'\n]|'(?=\w)){0,2000}'|(?<=\w=)[^\s,;"'()\[\]{}]{1,500}|(?=[tfn])(?<=\w["']? ?[=:] {0,2})(?:true|false|null)(?!\w)`,
  ],
  ['quoted', `(?=["'\`])(?:${QUOTATIONS.join('|')})`],
  ['number', String.raw`[-+]?\d[\d.,]{0,60}`],
]
