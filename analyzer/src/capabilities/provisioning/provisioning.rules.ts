/** Who may make a project without a key. */
export type SelfServe = 'open' | 'loopback' | 'off'

export interface ProvisionSituation {
  /** The project of the presented key, or null without one. */
  caller: { projectNo: number; projectName: string; sandbox: boolean; mayWrite: boolean } | null
  projectName: string
  /** The permanent project of this operator and name, if there is one. */
  existing: { projectNo: number } | null
  selfServe: SelfServe
  loopback: boolean
  projects: number
  projectsMax: number
}

export type ProvisionVerdict =
  | { kind: 'mint' }
  | { kind: 'resume'; projectNo: number; graduate: boolean }
  | { kind: 'refuse'; because: 'exists' | 'foreign' | 'read_only' | 'self_serve_off' | 'full' }

/**
 * Without a key a name is given out once. With a key only the key's own project is resumed: the permanent one of that name,
 * or a sandbox of that name, which becomes permanent. A link's read-only key changes nothing.
 */
export function decideProvision({ caller, projectName, existing, ...instance }: ProvisionSituation): ProvisionVerdict {
  if (caller === null) {
    const closed = decideMint(instance)
    if (closed) return closed
    return existing ? { kind: 'refuse', because: 'exists' } : { kind: 'mint' }
  }
  const isOwn = existing?.projectNo === caller.projectNo
  const isOwnSandbox = existing === null && caller.sandbox && caller.projectName === projectName
  if (!isOwn && !isOwnSandbox) return { kind: 'refuse', because: 'foreign' }
  if (!caller.mayWrite) return { kind: 'refuse', because: 'read_only' }
  return { kind: 'resume', projectNo: caller.projectNo, graduate: isOwnSandbox }
}

/** Why nobody without a key may make a project now, or null when they may. */
export function decideMint({
  selfServe,
  loopback,
  projects,
  projectsMax,
}: Pick<ProvisionSituation, 'selfServe' | 'loopback' | 'projects' | 'projectsMax'>): ProvisionVerdict | null {
  if (selfServe === 'off' || (selfServe === 'loopback' && !loopback)) return { kind: 'refuse', because: 'self_serve_off' }
  return projects >= projectsMax ? { kind: 'refuse', because: 'full' } : null
}

/** One form of a name, so that two spellings that look alike are one project. */
export function normalizeName(name: string): string {
  return name.normalize('NFC').trim().replaceAll(/\s+/g, ' ')
}
