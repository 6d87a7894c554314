/** A line in which each project has a place of its own: they are served in turn, each in order of arrival. */
export interface DecodeLine<J> {
  add(projectNo: number, job: J): void
  /** Who is next; undefined where nobody waits. */
  peek(): J | undefined
  /** Takes out who is next; the others of that project go behind those of all others. */
  take(): J | undefined
  size(): number
}

export function createDecodeLine<J>(): DecodeLine<J> {
  const lines = new Map<number, J[]>()
  let size = 0
  return {
    add(projectNo, job) {
      const line = lines.get(projectNo)
      if (line) line.push(job)
      else lines.set(projectNo, [job])
      size++
    },
    peek: () => lines.values().next().value?.[0],
    take() {
      const first = lines.entries().next().value
      if (!first) return undefined
      const [projectNo, line] = first
      lines.delete(projectNo)
      const job = line.shift()
      if (line.length > 0) lines.set(projectNo, line)
      size--
      return job
    },
    size: () => size,
  }
}
