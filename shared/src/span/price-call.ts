import type { SpanView, Tokens } from './record.ts'

/** US dollars for one million tokens; see config/models.json. */
export interface ModelPrice {
  input: number
  output: number
  cache_read?: number
  cache_write?: number
  input_tokens_max?: number
}

export type ModelPrices = Readonly<Record<string, ModelPrice>>

/** What a model call cost in US dollars; null where neither its telemetry nor the table of prices says. */
export type CostOf = (view: Pick<SpanView, 'model' | 'tokens' | 'cost_usd'>) => number | null

const PER_TOKENS = 1_000_000
/** A gateway's or a cloud's words around a model's name: `openai/…`, `models/…`, `us.anthropic.…-v1:0`. */
const PATH = /^.*\//
const CLOUD = /^(?:[a-z]{2,6}\.)?(?:anthropic|openai|google)\./
const CLOUD_VERSION = /-v\d+(?::\d+)?$/
/** The same model as of a day, at the same price unless the table says otherwise. */
const DAY = /(?:-\d{4}-\d{2}-\d{2}|[-@]\d{8}|[-@]latest)$/

/** The cost that was sent, else the one by the table. Asked for each call, so that names are looked up once. */
export function createCostOf(prices: ModelPrices): CostOf {
  const known = new Map<string, ModelPrice | null>()
  const find = (model: string) => {
    const price = known.get(model) ?? findPrice(prices, model)
    if (known.size < KNOWN_MAX) known.set(model, price)
    return price
  }
  return ({ model, tokens, cost_usd }) => cost_usd ?? (model === null ? null : costBy(find(model), tokens))
}

/** Names are senders' text: no more of them are remembered. */
const KNOWN_MAX = 1_000

/** Only what was sent. */
export const sentCost: CostOf = ({ cost_usd }) => cost_usd

function findPrice(prices: ModelPrices, model: string): ModelPrice | null {
  const name = model.toLowerCase()
  const bare = name.replace(PATH, '').replace(CLOUD, '').replace(CLOUD_VERSION, '')
  const found = [name, bare, bare.replace(DAY, '')].find((candidate) => Object.hasOwn(prices, candidate))
  return found === undefined ? null : prices[found]!
}

function costBy(price: ModelPrice | null, tokens: Tokens): number | null {
  const { input, output, cache_read: read, cache_creation: written } = tokens
  if (price === null || input === null || input > (price.input_tokens_max ?? input)) return null
  const parts = [
    part(input - (read ?? 0) - (written ?? 0), price.input),
    part(read, price.cache_read),
    part(written, price.cache_write),
    output === null && price.output > 0 ? null : part(output, price.output),
  ]
  return parts.includes(null) ? null : parts.reduce<number>((sum, one) => sum + one!, 0) / PER_TOKENS
}

/** null: there are tokens and no price for them. */
function part(tokens: number | null, price: number | undefined): number | null {
  if (tokens === null || tokens === 0) return 0
  return price === undefined || tokens < 0 ? null : tokens * price
}
