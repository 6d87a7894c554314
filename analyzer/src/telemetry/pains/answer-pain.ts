import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import { FINGERPRINT_SCHEME } from '@loopkit/shared/signals/fingerprint'
import { painIdOf } from '../../domain/opaque-id.ts'
import { issueOf } from '../../domain/packet/issue.ts'
import type { Issue } from '../../domain/packet/model.ts'
import type { PainReading } from '../../domain/pain-facts.ts'
import type { IssuesQuestion } from '../questions.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import { readPains } from './pain-readings.ts'

/** One pain, by its fingerprint: where others were merged into it, it speaks for them too. */
export interface SinglePainQuestion extends IssuesQuestion {
  only: string
}

export interface SinglePainAnswer {
  /** As a packet would show it; null where nothing of it failed in the window. */
  issue: Issue | null
  /** From raw text to fingerprint; null where telemetry no longer knows it. */
  key: PainKey | null
  because: string | null
  frames: string[]
  /** Decided failures by day of the event, the newest last. */
  history: { day: string; failures: number }[]
  /** Pains of the same place that differ only in words or stack. */
  siblings: string[]
}

export interface PainKey {
  template: string
  parentKey: string
  errorType: string | null
  /** Text of one failure, as sent. */
  sampleMessage: string | null
  steps: { step: string; value: string }[]
  /** Version of the scheme that made it. */
  scheme: number
}

/** Days of history and siblings that are shown. */
const HISTORY_DAYS_MAX = 180
const SIBLINGS_MAX = 20

export function answerPain(connection: TelemetryConnection, question: SinglePainQuestion): SinglePainAnswer {
  const { projectId, ledger, verifyRule, sinceMinutes, only, projectNo } = question
  const [reading] = readPains(connection, question).pains
  const painId = painIdOf(projectId, fromHex(only)!)
  const verify = { ...verifyRule, windowMinutes: sinceMinutes }
  const stored = readFingerprint(connection.db, projectNo, only)
  return {
    issue: reading ? issueOf(reading, { painId, ledger, verify }) : null,
    key: stored ? toKey(stored) : reading ? keyOfReading(reading) : null,
    because: reading?.detail.because ?? null,
    frames: reading?.detail.frames ?? [],
    history: reading?.facts.outlier?.days ?? readHistory(connection.db, projectNo, membersOf(question)),
    siblings: stored ? readSiblings(connection.db, question, stored) : [],
  }
}

function membersOf({ only, view }: SinglePainQuestion): string[] {
  return [only, ...Object.keys(view.rootOf).filter((name) => view.rootOf[name] === only)]
}

interface FingerprintRow {
  fingerprint_no: number
  parent_key: Buffer
  template: string
  error_type: string | null
  sample_message: string | null
  steps: string
  scheme: number
}

function readFingerprint(db: SqliteDatabase, projectNo: number, fingerprint: string): FingerprintRow | undefined {
  const find = db.prepare(
    'select fingerprint_no, parent_key, template, error_type, sample_message, steps, scheme from fingerprint where project_no = ? and fingerprint = ?',
  )
  return find.get(projectNo, fromHex(fingerprint)) as FingerprintRow | undefined
}

function toKey({ template, parent_key, error_type, sample_message, steps, scheme }: FingerprintRow): PainKey {
  const named = { errorType: error_type, sampleMessage: sample_message, scheme }
  return { template, parentKey: parent_key.toString('hex'), steps: JSON.parse(steps), ...named }
}

function keyOfReading({ facts, detail }: PainReading): PainKey {
  const { template, errorType, steps } = detail
  // Of runs that did not fail nothing was sent as text.
  const sampleMessage = facts.outlier ? null : detail.sampleMessage
  return { template, parentKey: facts.parentKey, errorType, sampleMessage, steps, scheme: FINGERPRINT_SCHEME }
}

function readHistory(db: SqliteDatabase, projectNo: number, fingerprints: readonly string[]): SinglePainAnswer['history'] {
  const days = db.prepare(
    `select strftime('%Y-%m-%d', event_ms / 1000, 'unixepoch') as day, count(*) as failures from failure
     where project_no = @projectNo and fingerprint_no in (select value from json_each(@fingerprintNos))
     group by day order by day desc limit @daysMax`,
  )
  const numberOf = db.prepare('select fingerprint_no from fingerprint where project_no = ? and fingerprint = ?').pluck()
  const numbers = fingerprints.flatMap((name) => (numberOf.get(projectNo, fromHex(name)) as number | undefined) ?? [])
  const parameters = { projectNo, fingerprintNos: JSON.stringify(numbers), daysMax: HISTORY_DAYS_MAX }
  return (days.all(parameters) as SinglePainAnswer['history']).reverse()
}

function readSiblings(db: SqliteDatabase, question: SinglePainQuestion, row: FingerprintRow): string[] {
  const { projectNo, projectId, only, view } = question
  const siblings = db
    .prepare(
      'select fingerprint from fingerprint where project_no = ? and parent_key = ? and fingerprint_no <> ? order by fingerprint limit ?',
    )
    .pluck()
    .all(projectNo, row.parent_key, row.fingerprint_no, SIBLINGS_MAX) as Buffer[]
  const roots = new Set(siblings.map(toHex).map((name) => view.rootOf[name] ?? name))
  roots.delete(only)
  return [...roots].map((name) => painIdOf(projectId, fromHex(name)!))
}
