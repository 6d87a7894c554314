import { readProjectRules } from '@loopkit/shared/database/control/read-project-rules'
import { openDatabase, type SqliteDatabase } from '@loopkit/shared/database/open'
import type { ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'

/** How projects group failures, as control.db says now. */
export interface ProjectRulesReader {
  /** undefined: control.db cannot be read now, and was not before. */
  find(projectNo: number): ProjectRules | undefined
  close(): void
}

/** Rules are read again only after control.db has changed: asking for that costs no page. */
export function createProjectRules(controlPath: string): ProjectRulesReader {
  const known = new Map<number, { version: number; rules: ProjectRules }>()
  let control: SqliteDatabase | null = null
  return {
    find(projectNo) {
      const before = known.get(projectNo)
      try {
        control ??= openDatabase(controlPath, { role: 'reader' })
        const version = control.pragma('data_version', { simple: true }) as number
        if (before?.version === version) return before.rules
        const rules = readProjectRules(control, projectNo)
        known.set(projectNo, { version, rules })
        return rules
      } catch {
        control?.close()
        control = null
        known.forEach((one) => {
          one.version = Number.NaN
        })
        return before?.rules
      }
    },
    close: () => control?.close(),
  }
}
