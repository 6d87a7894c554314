/** So many failures that count under one key now would count under another. Names are fingerprints in hex. */
export interface Move {
  from: string
  to: string
  count: number
}

export interface Regrouping {
  /** Pains that would become several. */
  splits: { from: string; into: { key: string; count: number }[] }[]
  /** Pains that would become one. */
  merges: { into: string; from: { key: string; count: number }[] }[]
  /** Pains that would go on whole under another id. */
  renames: Move[]
  /** In a sentence: "would split 1 pain into 3". */
  summary: string
}

/** What moves of failures mean for pains. Failures that stay count too: a pain that keeps a part of them is split. */
export function describeRegrouping(moves: readonly Move[]): Regrouping {
  const byFrom = Map.groupBy(moves, ({ from }) => from)
  const byTo = Map.groupBy(moves, ({ to }) => to)
  const splits = [...byFrom]
    .filter(([, own]) => own.length > 1)
    .map(([from, own]) => ({ from, into: own.map(({ to, count }) => ({ key: to, count })).sort(byCount) }))
  const merges = [...byTo]
    .filter(([, own]) => own.length > 1)
    .map(([into, own]) => ({ into, from: own.map(({ from, count }) => ({ key: from, count })).sort(byCount) }))
  const renames = moves.filter(({ from, to }) => from !== to && byFrom.get(from)!.length === 1 && byTo.get(to)!.length === 1)
  const parts = new Set(splits.flatMap(({ into }) => into.map(({ key }) => key))).size
  const merged = new Set(merges.flatMap(({ from }) => from.map(({ key }) => key))).size
  const said = [
    splits.length > 0 ? `split ${pains(splits.length)} into ${parts}` : null,
    merges.length > 0 ? `merge ${pains(merged)} into ${merges.length}` : null,
    renames.length > 0 ? `give ${pains(renames.length)} a new id` : null,
  ].filter((part) => part !== null)
  return { splits, merges, renames, summary: said.length === 0 ? 'would change no pain' : `would ${said.join(', ')}` }
}

function byCount(a: { key: string; count: number }, b: { key: string; count: number }): number {
  return b.count - a.count || (a.key < b.key ? -1 : 1)
}

function pains(count: number): string {
  return `${count} ${count === 1 ? 'pain' : 'pains'}`
}
