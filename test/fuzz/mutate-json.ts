import type { Random } from '../demo/random.ts'
import type { JsonNode } from './json-nodes.ts'
import { below, chance, oneOf } from './pick-random.ts'

/** A JSON text whose values are known. */
export interface JsonBody {
  text: string
  nodes: readonly JsonNode[]
}

/** What is to stand instead of `from` to `to`. */
interface Edit {
  from: number
  to: number
  text: string
}

type EditNode = (random: Random, body: JsonBody, node: JsonNode, other: JsonBody) => Edit

/** Values where senders and readers differ. */
const EDGE_VALUES = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e3', '2.0', '1e21', '1e400', '-1e400', '9007199254740993', '007', '+1'],
  ...[
    '18446744073709551615',
    '18446744073709551616',
    '9223372036854775807',
    '-9223372036854775808',
    '1e-400',
    '0x10',
    '.5',
    '1.',
  ],
  ...['NaN', 'Infinity', 'undefined', 'nul', "'a'", '"NaN"', '"-Infinity"', '"1e3"', '"18446744073709551615"', '"-1"', '" 1"'],
  ...['""', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"', '"\\u12"', '"\t"', '"ü€😀"', '"__proto__"', '"AAAAAAAAAAE="'],
  ...['"00000000000000000000000000000000"', '"0000000000000000"', '"trace_1"', '"5b8efff798038103d269b633813fc60c"'],
  ...['"SPAN_KIND_SERVER"', '"STATUS_CODE_ERROR"', '"SPAN_KIND_ODD"', '3', '99'],
  ...[
    '{}',
    '[]',
    '[{}]',
    '[null]',
    '{"stringValue":"a","intValue":"1"}',
    '{"arrayValue":{}}',
    '{"kvlistValue":null}',
    '{"bytesValue":"-_=="}',
  ],
  ...[
    '{"doubleValue":null}',
    '{"doubleValue":"NaN"}',
    '{"intValue":1e21}',
    '{"a":1,"a":2}',
    '"sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
  ],
]
const SPACE = [' ', '\n', '\t ', '\r\n', '\u00a0', '\ufeff', '/**/', '//\n']
const snakeCase = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const textOf = ({ text }: JsonBody, { start, end }: JsonNode): string => text.slice(start, end)
const fromOf = ({ keyAt, start }: JsonNode): number => (keyAt >= 0 ? keyAt : start)
const memberOf = ({ text }: JsonBody, node: JsonNode): string => text.slice(fromOf(node), node.end)

function nestedValue(random: Random, value: string): string {
  const levels = chance(random, 0.7) ? 60 + below(random, 8) : below(random, 320)
  const [open, close] = oneOf(random, [
    ['{"arrayValue":{"values":[', ']}}'],
    ['{"kvlistValue":{"values":[{"key":"k","value":', '}]}}'],
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  return open.repeat(levels) + value + close.repeat(levels)
}

const NODE_EDITS: readonly EditNode[] = [
  function toEdgeValue(random, _body, { start, end }) {
    return { from: start, to: end, text: oneOf(random, EDGE_VALUES) }
  },
  function toOtherValue(random, body, { start, end }, other) {
    const from = chance(random, 0.5) ? body : other
    return { from: start, to: end, text: textOf(from, oneOf(random, from.nodes)) }
  },
  function repeatMember(_random, body, node) {
    return { from: node.end, to: node.end, text: `,${memberOf(body, node)}` }
  },
  function dropMember(random, body, node) {
    const comma = body.text[node.end] === ',' && chance(random, 0.9) ? 1 : 0
    return { from: fromOf(node), to: node.end + comma, text: '' }
  },
  function quoteOrUnquote(_random, body, node) {
    const text = textOf(body, node)
    if (node.kind === 'string') return { from: node.start, to: node.end, text: text.slice(1, -1) }
    return { from: node.start, to: node.end, text: JSON.stringify(text) }
  },
  function respellKey(random, { text }, { keyAt, keyEnd, start, end }) {
    if (keyAt < 0) return { from: start, to: end, text: 'null' }
    const key = text.slice(keyAt, keyEnd)
    const spelled = [
      snakeCase(key),
      key.toUpperCase(),
      '"unknown"',
      '"instrumentationLibrarySpans"',
      `"\\u00${key.charCodeAt(1).toString(16)}${key.slice(2)}`,
      '"__proto__"',
    ]
    return { from: keyAt, to: keyEnd, text: oneOf(random, spelled) }
  },
  function escapeText(random, body, node) {
    const text = textOf(body, node)
    const at = 1 + below(random, text.length - 2)
    if (node.kind !== 'string' || text[at] === undefined || text.includes('\\'))
      return { from: node.end, to: node.end, text: ' ' }
    const escaped = `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
    return { from: node.start + at, to: node.start + at + 1, text: escaped }
  },
  function insertSpace(random, _body, node) {
    const at = chance(random, 0.5) ? node.start : node.end
    return { from: at, to: at, text: oneOf(random, SPACE) }
  },
  function nestDeeply(random, body, node) {
    return { from: node.start, to: node.end, text: nestedValue(random, node.end - node.start < 200 ? textOf(body, node) : '1') }
  },
  function editDigits(random, body, node) {
    const digits = '0123456789'.repeat(2 + below(random, 2)).slice(0, 17 + below(random, 6))
    const text = node.kind === 'string' ? `"${digits}"` : digits
    return { from: node.start, to: node.end, text: node.kind === 'object' ? textOf(body, node) : text }
  },
  function addMember(random, body, node) {
    if (node.kind !== 'object') return { from: node.end, to: node.end, text: '' }
    const members = body.nodes.filter(({ keyAt }) => keyAt >= 0)
    if (members.length === 0) return { from: node.end, to: node.end, text: '' }
    const member = memberOf(body, oneOf(random, members))
    return { from: node.start + 1, to: node.start + 1, text: body.text[node.start + 1] === '}' ? member : `${member},` }
  },
]

/** Changes up to three of the values; edits that would overlap are left out. */
export function mutateJson(random: Random, body: JsonBody, other: JsonBody): string {
  const edits = Array.from({ length: 1 + below(random, 3) }, () =>
    oneOf(random, NODE_EDITS)(random, body, oneOf(random, body.nodes), other),
  ).sort((a, b) => b.from - a.from)
  let { text } = body
  let before = Number.POSITIVE_INFINITY
  for (const { from, to, text: by } of edits) {
    if (to > before) continue
    text = text.slice(0, from) + by + text.slice(to)
    before = from
  }
  return text
}
