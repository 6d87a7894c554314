import type { ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'

/**
 * How people and agents see the pains of a project: which are one, and which they do not want to hear of for a while. Fingerprints
 * and what was counted by them never change, so every merge can be undone.
 */
export interface PainView {
  /** Fingerprint of each pain that was merged away → that of the pain it is shown under, in hex; chains are resolved. */
  rootOf: Readonly<Record<string, string>>
  /** Fingerprints of muted pains, in hex. */
  muted: readonly string[]
  /** How failures that are not yet decided will be grouped. */
  rules: ProjectRules
}

/** Where every chain of `child → parent` ends. A cycle, which no route lets come to be, ends at its smallest name. */
export function resolveRoots(parentOf: ReadonlyMap<string, string>): Map<string, string> {
  const roots = new Map<string, string>()
  for (const name of parentOf.keys()) {
    const root = chainFrom(name, parentOf).at(-1)!
    if (root !== name) roots.set(name, root)
  }
  return roots
}

/** Whether `child` under `parent` would make a circle. */
export function closesCircle(
  parentOf: ReadonlyMap<string, string>,
  { child, parent }: { child: string; parent: string },
): boolean {
  return chainFrom(parent, parentOf).includes(child)
}

/** The name and everything above it, the root last. */
function chainFrom(name: string, parentOf: ReadonlyMap<string, string>): string[] {
  const chain = [name]
  const seen = new Set(chain)
  for (let at = parentOf.get(name); at !== undefined; at = parentOf.get(at)) {
    if (seen.has(at)) return [...chain, chain.slice(chain.indexOf(at)).sort()[0]!]
    seen.add(at)
    chain.push(at)
  }
  return chain
}
