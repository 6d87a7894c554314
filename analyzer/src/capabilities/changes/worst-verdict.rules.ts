import type { RefusalReason, Verdict } from './verdict.rules.ts'

export interface PainVerdict {
  verdict: Verdict
  reason: RefusalReason | null
}

/** From what speaks most against a change to what speaks for it: it has held only where every pain it names has. */
const ORDER: readonly Verdict[] = ['slipped', 'worse', 'unchanged', 'moved', 'refused', 'held']

/** The verdict of a change that names several pains: that of the pain which stands worst, the first of equals. */
export function worstVerdict<Said extends PainVerdict>(said: readonly [Said, ...Said[]]): Said {
  const rank = ({ verdict }: PainVerdict) => ORDER.indexOf(verdict)
  return said.reduce((worst, one) => (rank(one) < rank(worst) ? one : worst))
}
