/** Projects that have series of their own; each costs a dozen lines of every scrape. */
const PROJECTS_MAX = 100
const OTHER = 'other'

/** The label of a project: its id for the first so many, `other` for those that come later. */
export function createProjectLabels(projectsMax = PROJECTS_MAX): (projectId: string) => string {
  const known = new Set<string>()
  return (projectId) => {
    if (known.has(projectId)) return projectId
    if (known.size >= projectsMax) return OTHER
    known.add(projectId)
    return projectId
  }
}
