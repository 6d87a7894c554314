import { type Row, RULE_IDS } from './rule-ids.ts'

const SECTIONS: Record<string, string> = {
  A: 'OTLP/HTTP',
  B: 'OTLP/gRPC',
  C: 'JSON',
  D: 'Protobuf',
  E: 'What spans hold',
  F: 'Spans that are wrong',
  P: 'Pitfalls',
  X: 'Families of exporters',
  O: 'Faults',
}

/** What senders may rely on, section by section; a row stands at the first of its rules. */
export function conformanceMarkdown(rows: readonly Row<unknown>[]): string {
  const sections = Object.entries(SECTIONS).map(([letter, title]) => {
    const own = rows.filter(({ ids }) => ids[0]?.startsWith(letter)).sort((a, b) => placeOf(a) - placeOf(b))
    return [`## ${letter}: ${title}`, '', '| rules | promise |', '|---|---|', ...own.map(lineOf), ''].join('\n')
  })
  return `${HEAD}\n${sections.join('\n')}`
}

const HEAD = `# What the collector promises to senders

Written from the tables in \`test/conformance\`, each row of which runs against the real product; do not edit. Where sources
disagree the side taken is in brackets; \`checklist\` and \`faults\` are the two lists that the rules' numbers come from (see
\`test/conformance/rule-ids.ts\`).
`

const placeOf = ({ ids }: Row<unknown>): number => RULE_IDS.indexOf(ids[0]!)

function lineOf({ ids, name, side }: Row<unknown>): string {
  return `| ${ids.join(' ')} | ${escaped(name)}${side === undefined ? '' : ` (${escaped(side)})`} |`
}

const escaped = (text: string): string => text.replace(/[\\|<>*_`]/g, '\\$&')
