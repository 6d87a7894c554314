import type { SqliteDatabase } from '@loopkit/shared/database/open'
import { fromHex, toHex } from '@loopkit/shared/otlp/ids'
import type { ProjectRules } from '@loopkit/shared/signals/fingerprint-rules'
import type { SignalType } from '@loopkit/shared/signals/signal-type'
import { type DecidedKey, isRegrouped } from '../../domain/regrouped.ts'
import type { MinuteWindow } from '../../domain/window.ts'
import { countSplitOff, type NamedSplit } from '../pains/split-off.ts'
import type { TelemetryConnection } from '../telemetry-file.ts'
import type { FailureRow } from './exposure-rows.ts'

/** What a verdict is about: a pain as it was when its plan was frozen, else a service, else the whole project. */
export interface JudgedSubject {
  projectNo: number
  projectId: string
  /** Arrival: what is read. */
  window: MinuteWindow
  /** First minute of arrival that is not read. */
  settledMinute: number
  /** Hex; null judges all failures of the service, or of the project where that is null too. */
  fingerprints: readonly string[] | null
  service: string | null
  /** How the project groups failures now. */
  rules: ProjectRules
}

export interface Judged {
  operations: ReadonlySet<number>
  services: readonly string[] | null
  /** null: all of the operations' failures. */
  fingerprints: number[] | null
  /** Fingerprints that differ only in words or stack; null where no single pain is judged. */
  siblings: number[] | null
  /** Hex. */
  parentKeys: string[]
  /** Failures that were counted under a pain before this one was split off. */
  splitOff: FailureRow[]
  /** Some of its failures count elsewhere in a part of the window, and nobody can tell which. */
  isRegrouped: boolean
}

interface FingerprintRow {
  fingerprint_no: number
  fingerprint: Buffer
  operation_no: number
  parent_key: Buffer
  signal: SignalType
  service: string
  operation: string
  error_type: string | null
  sample_message: string | null
  steps: string
}

const MINUTE_MS = 60_000
const COLUMNS =
  'fingerprint_no, fingerprint, operation_no, parent_key, signal, service, operation, error_type, sample_message, steps'
/** Parts of one split that count for the whole. */
const PARTS_MAX = 2_000

/** Which failures are judged, whatever has been merged, split or named otherwise since. */
export function readJudged(connection: TelemetryConnection, subject: JudgedSubject): Judged {
  return subject.fingerprints === null
    ? readService(connection.db, subject)
    : readPain(connection, { ...subject, fingerprints: subject.fingerprints })
}

function readService(db: SqliteDatabase, { projectNo, service }: JudgedSubject): Judged {
  const operations = db.prepare('select operation_no from operation where project_no = ? and (? is null or service = ?)').pluck()
  const ofService = db.prepare('select fingerprint_no from fingerprint where project_no = ? and service = ?').pluck()
  return {
    operations: new Set(operations.all(projectNo, service, service) as number[]),
    services: service === null ? null : [service],
    fingerprints: service === null ? null : (ofService.all(projectNo, service) as number[]),
    siblings: null,
    parentKeys: [],
    splitOff: [],
    isRegrouped: false,
  }
}

function readPain(connection: TelemetryConnection, subject: JudgedSubject & { fingerprints: readonly string[] }): Judged {
  const { db } = connection
  const { projectNo, fingerprints, rules, window } = subject
  const find = db.prepare(`select ${COLUMNS} from fingerprint where project_no = ? and fingerprint = ?`)
  const named = fingerprints.flatMap((name) => (find.get(projectNo, fromHex(name)) as FingerprintRow | undefined) ?? [])
  const off = countSplitOff(connection, subject, splitsOf(named))
  const origins = off.origins.flatMap((name) => (find.get(projectNo, fromHex(name)) as FingerprintRow | undefined) ?? [])
  const rows = withParts(db, projectNo, named)
  const known = rows.length > 0 ? rows : origins
  const parentKeys = [...new Set([...known, ...origins].map((row) => toHex(row.parent_key)))].sort()
  const siblings = db.prepare('select fingerprint_no from fingerprint where project_no = ? and parent_key = ?').pluck()
  return {
    operations: new Set([...known, ...origins].map((row) => row.operation_no)),
    services: [...new Set(known.map((row) => row.service))].sort(),
    fingerprints: rows.map((row) => row.fingerprint_no),
    siblings: [...new Set(parentKeys.flatMap((key) => siblings.all(projectNo, fromHex(key)) as number[]))],
    parentKeys,
    splitOff: off.failures,
    isRegrouped: off.isCut || named.some((row) => isMoved(row, rules, window)),
  }
}

/** The pains that each was split off, by its steps. */
function splitsOf(rows: readonly FingerprintRow[]): NamedSplit[] {
  return rows.flatMap(({ steps }) =>
    (JSON.parse(steps) as DecidedKey['steps'])
      .filter(({ step }) => step === 'split')
      .map(({ value }) => ({ ruleId: value.split(' ')[0]!, origin: value.split(' ').at(-1)! })),
  )
}

/** With what was split off them, and off that: the whole is judged as it was. */
function withParts(db: SqliteDatabase, projectNo: number, named: readonly FingerprintRow[]): FingerprintRow[] {
  const parts = db.prepare(
    `select ${COLUMNS} from fingerprint where project_no = ? and instr(steps, ?) > 0 order by fingerprint_no limit ${PARTS_MAX}`,
  )
  const found = new Map(named.map((row) => [row.fingerprint_no, row]))
  for (const row of named) {
    for (const part of parts.all(projectNo, ` of ${toHex(row.fingerprint)}"`) as FingerprintRow[]) {
      const steps = JSON.parse(part.steps) as DecidedKey['steps']
      const isPart = steps.some(({ step, value }) => step === 'split' && value.endsWith(` of ${toHex(row.fingerprint)}`))
      if (isPart) found.set(part.fingerprint_no, part)
    }
  }
  return [...found.values()]
}

/** By a rule; splits are followed. */
function isMoved(row: FingerprintRow, { rules }: ProjectRules, window: MinuteWindow): boolean {
  const { signal, service, operation, error_type: errorType, sample_message: message } = row
  const key = { fingerprint: toHex(row.fingerprint), steps: JSON.parse(row.steps) as DecidedKey['steps'] }
  return isRegrouped({ signal, service, operation, errorType, message, ...key }, rules, window.fromMinute * MINUTE_MS)
}
