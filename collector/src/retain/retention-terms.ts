/** A project as control.db knows it. */
export interface KnownProject {
  projectNo: number
  /** null: the instance's own default. */
  retentionDays: number | null
  isDeleted: boolean
}

/** What is kept no longer, as of one moment. */
export interface RetentionTerms {
  projects: { projectNo: number; recordsBeforeMs: number }[]
  deleted: number[]
  /** Counts outlive the records that they count: a pain's history is longer than its evidence. */
  rollupsBeforeMs: number
}

const DAY_MS = 86_400_000
/** As the contract says. */
const ROLLUP_DAYS = 180

export function retentionTerms(projects: readonly KnownProject[], defaultDays: number, nowMs: number): RetentionTerms {
  const living = projects.filter(({ isDeleted }) => !isDeleted)
  const daysOf = ({ retentionDays }: KnownProject) => retentionDays ?? defaultDays
  const longestDays = living.reduce((most, project) => Math.max(most, daysOf(project)), defaultDays)
  return {
    projects: living.map((project) => ({
      projectNo: project.projectNo,
      recordsBeforeMs: nowMs - daysOf(project) * DAY_MS,
    })),
    deleted: projects.filter(({ isDeleted }) => isDeleted).map(({ projectNo }) => projectNo),
    rollupsBeforeMs: nowMs - Math.max(ROLLUP_DAYS, longestDays) * DAY_MS,
  }
}
