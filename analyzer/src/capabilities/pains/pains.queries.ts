import type { Insertable } from 'kysely'
import type { Control } from '../../control/control-database.ts'
import type { PainTable } from '../../control/tables.ts'
import type { SeenPain } from '../../telemetry/questions.ts'

/** A pain as it is remembered, longer than its records. */
export interface KnownPain {
  painId: string
  fingerprint: Uint8Array
  title: string
  signal: string
  service: string
  operation: string
  firstSeenMs: number
  lastSeenMs: number
}

function toRow(projectNo: number, pain: SeenPain): Insertable<PainTable> {
  return {
    pain_id: pain.painId,
    project_no: projectNo,
    fingerprint: Buffer.from(pain.fingerprint, 'hex'),
    title: pain.title,
    signal_type: pain.signal,
    service: pain.service,
    operation: pain.operation,
    first_seen_ms: pain.firstSeenMs,
    last_seen_ms: pain.lastSeenMs,
  }
}

/** Pains that one statement writes: each takes eight of its parameters. */
const WRITTEN_AT_ONCE = 500

/** The pain table; nothing else writes it. */
export function createPainQueries({ db, first, transaction, all }: Control) {
  return {
    /** Keeps what was seen: new pains whole, of known ones the time and the title. Writes only what has changed. */
    remember: (projectNo: number, seen: readonly SeenPain[]): void => {
      if (seen.length === 0) return
      const ids = seen.map(({ painId }) => painId)
      const stored = all(db.selectFrom('pain').selectAll().where('project_no', '=', projectNo).where('pain_id', 'in', ids))
      const known = new Map(stored.map((row) => [row.pain_id, row]))
      const changed = seen.filter((pain) => {
        const row = known.get(pain.painId)
        return !row || row.last_seen_ms < pain.lastSeenMs || row.first_seen_ms > pain.firstSeenMs || row.title !== pain.title
      })
      if (changed.length === 0) return
      transaction((queries) => {
        for (let at = 0; at < changed.length; at += WRITTEN_AT_ONCE) {
          queries.run(
            db
              .insertInto('pain')
              .values(changed.slice(at, at + WRITTEN_AT_ONCE).map((pain) => toRow(projectNo, pain)))
              .onConflict((conflict) =>
                conflict.column('pain_id').doUpdateSet((row) => ({
                  title: row.ref('excluded.title'),
                  first_seen_ms: row.fn('min', ['pain.first_seen_ms', 'excluded.first_seen_ms']),
                  last_seen_ms: row.fn('max', ['pain.last_seen_ms', 'excluded.last_seen_ms']),
                })),
              ),
          )
        }
      })
    },

    find: (projectNo: number, painId: string): KnownPain | null => {
      const row = first(db.selectFrom('pain').selectAll().where('pain_id', '=', painId).where('project_no', '=', projectNo))
      if (!row) return null
      return {
        painId: row.pain_id,
        fingerprint: row.fingerprint,
        title: row.title,
        signal: row.signal_type,
        service: row.service,
        operation: row.operation,
        firstSeenMs: row.first_seen_ms,
        lastSeenMs: row.last_seen_ms,
      }
    },
  }
}

/** Removes pains that were not seen since, unless somebody said something of them. */
export function createForgetPains({ db, run }: Control) {
  return (beforeMs: number, most: number): void => {
    const named = (table: 'pain_merge' | 'pain_mute' | 'fingerprint_rule') =>
      db.selectFrom(table).select('pain_id').where('pain_id', 'is not', null)
    const old = db
      .selectFrom('pain')
      .select('pain_id')
      .where('last_seen_ms', '<', beforeMs)
      .where('pain_id', 'not in', named('pain_merge'))
      .where('pain_id', 'not in', db.selectFrom('pain_merge').select('into_pain_id'))
      .where('pain_id', 'not in', named('pain_mute'))
      .where('pain_id', 'not in', named('fingerprint_rule'))
      .limit(most)
    run(db.deleteFrom('pain').where('pain_id', 'in', old))
  }
}
