import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { encodePages, pagesFor, type TraceEntry } from '@loopkit/shared/database/telemetry/trace-page'
import { encodeMembers, type RunKind } from '@loopkit/shared/database/telemetry/trace-runs'

export interface NewRun {
  projectNo: number
  kind: RunKind
  /** Oldest first. */
  members: readonly number[]
  pages: number
  /** 0: its pages are still to be written. */
  state: 0 | 1
}

/** Segments that begin before `nextCommit` are folded. */
export const SET_FOLDED_TO = `
  insert into folded (project_no, kind, next_commit) values (@projectNo, @kind, @nextCommit)
  on conflict do update set next_commit = excluded.next_commit`

/** Writes runs of traces; call it inside a transaction. */
export interface RunWriter {
  /** Answers where its pages are to lie: behind those of every run, also of one that is still being written. */
  insert(run: NewRun): { runId: number; firstPage: number }
  insertPage(pageNo: number, entries: Uint8Array): void
}

export function createRunWriter(db: SqliteDatabase): RunWriter {
  const nextPage = db.prepare('select coalesce(max(first_page + pages), 1) from trace_run').pluck()
  const insertRun = db.prepare(`
    insert into trace_run (project_no, kind, state, members, last_no, first_page, pages) values (?, ?, ?, ?, ?, ?, ?)`)
  const insertPage = db.prepare('insert into trace_page (page_no, entries) values (?, ?)')
  return {
    insert({ projectNo, kind, members, pages, state }) {
      const firstPage = nextPage.get() as number
      const lastNo = members.reduce((most, no) => Math.max(most, no), 0)
      const { lastInsertRowid } = insertRun.run(projectNo, kind, state, encodeMembers(members), lastNo, firstPage, pages)
      return { runId: Number(lastInsertRowid), firstPage }
    },
    insertPage: (pageNo, entries) => void insertPage.run(pageNo, entries),
  }
}

/** A small run and its pages, made before the transaction that is to hold them. Answers what writes them. */
export function prepareRun(
  writer: RunWriter,
  place: { projectNo: number; kind: RunKind },
  members: readonly number[],
  entries: TraceEntry[],
): () => void {
  const pages = [...encodePages(entries, pagesFor(entries.length))]
  return () => {
    const { firstPage } = writer.insert({ ...place, members, pages: pages.length, state: 1 })
    for (const [n, page] of pages.entries()) writer.insertPage(firstPage + n, page)
  }
}

/** Of one member. `hashes` are sorted little-endian, as segments keep them. */
export function segmentEntries(hashes: Uint8Array, member: number): TraceEntry[] {
  const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength)
  return Array.from({ length: hashes.length / 8 }, (_, n) => ({
    low: view.getUint32(n * 8, true),
    high: view.getUint32(n * 8 + 4, true),
    member,
  }))
}

/** Of one member. `hashes` are big-endian, as decisions keep them. */
export function decisionEntries(hashes: Uint8Array, member: number): TraceEntry[] {
  const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength)
  return Array.from({ length: hashes.length / 8 }, (_, n) => ({
    high: view.getUint32(n * 8),
    low: view.getUint32(n * 8 + 4),
    member,
  }))
}
