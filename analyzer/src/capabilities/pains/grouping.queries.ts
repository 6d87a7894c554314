import { toHex } from '@loopkit/shared/otlp/ids'
import type { Control, ControlQueries } from '../../control/control-database.ts'

/** A pain that somebody put under another, as it was asked for. */
export interface Merge {
  painId: string
  title: string
  /** Hex. */
  fingerprint: string
  intoPainId: string
  intoFingerprint: string
  mergedAtMs: number
  keyId: string | null
}

export interface Mute {
  painId: string
  /** Hex. */
  fingerprint: string
  reason: string
  untilMs: number | null
  mutedAtMs: number
  keyId: string | null
}

/** The tables of merges and mutes; nothing else writes them. */
export function createGroupingQueries(control: Control) {
  return { ...createReads(control), ...createWrites(control) }
}

function createReads({ db, all }: Control) {
  return {
    merges: (projectNo: number): Merge[] =>
      all(
        db
          .selectFrom('pain_merge as m')
          .innerJoin('pain as p', 'p.pain_id', 'm.pain_id')
          .innerJoin('pain as i', 'i.pain_id', 'm.into_pain_id')
          .select([
            'm.pain_id',
            'm.into_pain_id',
            'm.merged_at_ms',
            'm.key_id',
            'p.title',
            'p.fingerprint',
            'i.fingerprint as into',
          ])
          .where('m.project_no', '=', projectNo)
          .orderBy('m.merged_at_ms')
          .orderBy('m.pain_id'),
      ).map((row) => ({
        painId: row.pain_id,
        title: row.title,
        fingerprint: toHex(row.fingerprint),
        intoPainId: row.into_pain_id,
        intoFingerprint: toHex(row.into),
        mergedAtMs: row.merged_at_ms,
        keyId: row.key_id,
      })),

    /** Those that have not ended. */
    mutes: (projectNo: number, nowMs: number): Mute[] =>
      all(
        db
          .selectFrom('pain_mute as m')
          .innerJoin('pain as p', 'p.pain_id', 'm.pain_id')
          .select(['m.pain_id', 'm.reason', 'm.until_ms', 'm.muted_at_ms', 'm.key_id', 'p.fingerprint'])
          .where('m.project_no', '=', projectNo)
          .where((row) => row.or([row('m.until_ms', 'is', null), row('m.until_ms', '>', nowMs)]))
          .orderBy('m.pain_id'),
      ).map((row) => ({
        painId: row.pain_id,
        fingerprint: toHex(row.fingerprint),
        reason: row.reason,
        untilMs: row.until_ms,
        mutedAtMs: row.muted_at_ms,
        keyId: row.key_id,
      })),
  }
}

function createWrites({ db }: Control) {
  return {
    setMerge: (
      { run }: ControlQueries,
      projectNo: number,
      { painId, intoPainId, mergedAtMs, keyId }: Pick<Merge, 'painId' | 'intoPainId' | 'mergedAtMs' | 'keyId'>,
    ): void => {
      const columns = { into_pain_id: intoPainId, merged_at_ms: mergedAtMs, key_id: keyId }
      run(
        db
          .insertInto('pain_merge')
          .values({ pain_id: painId, project_no: projectNo, ...columns })
          .onConflict((conflict) => conflict.column('pain_id').doUpdateSet(columns)),
      )
    },

    /** Where it is merged into that very pain. */
    removeMergeInto: (
      { run }: ControlQueries,
      projectNo: number,
      { painId, intoPainId }: Pick<Merge, 'painId' | 'intoPainId'>,
    ): void =>
      void run(
        db
          .deleteFrom('pain_merge')
          .where('pain_id', '=', painId)
          .where('into_pain_id', '=', intoPainId)
          .where('project_no', '=', projectNo),
      ),

    removeMerge: ({ run }: ControlQueries, projectNo: number, painId: string): void =>
      void run(db.deleteFrom('pain_merge').where('pain_id', '=', painId).where('project_no', '=', projectNo)),

    setMute: ({ run }: ControlQueries, projectNo: number, mute: Omit<Mute, 'fingerprint'>): void => {
      const { painId, reason, untilMs, mutedAtMs, keyId } = mute
      const columns = { reason, until_ms: untilMs, muted_at_ms: mutedAtMs, key_id: keyId }
      run(
        db
          .insertInto('pain_mute')
          .values({ pain_id: painId, project_no: projectNo, ...columns })
          .onConflict((conflict) => conflict.column('pain_id').doUpdateSet(columns)),
      )
    },

    removeMute: ({ run }: ControlQueries, projectNo: number, painId: string): void =>
      void run(db.deleteFrom('pain_mute').where('pain_id', '=', painId).where('project_no', '=', projectNo)),
  }
}

export type GroupingQueries = ReturnType<typeof createGroupingQueries>
