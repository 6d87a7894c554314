import type { OtlpAttributes } from '../../otlp/model.ts'
import { textAt } from '../attribute-values.ts'
import { templateName } from '../name-template.ts'
import { OPERATION_CHARS_MAX, type ViewDraft } from '../view-draft.ts'

/** Databases: the stable names (`db.system.name`, `db.operation.name` …) and those of before (`db.system`, `db.statement` …). */
export const DATABASE_KEYS = [
  'db.system.name',
  'db.system',
  'db.operation.name',
  'db.operation',
  'db.collection.name',
  'db.sql.table',
  'db.mongodb.collection',
  'db.cassandra.table',
  'db.cosmosdb.container',
  'db.stored_procedure.name',
  'db.query.summary',
  'db.query.text',
  'db.statement',
] as const

const COLLECTION_KEYS = [
  'db.collection.name',
  'db.sql.table',
  'db.mongodb.collection',
  'db.cassandra.table',
  'db.cosmosdb.container',
  'db.stored_procedure.name',
] as const
/** Verb and table stand at the head of a statement; the rest is never read. */
const STATEMENT_CHARS_MAX = 1000
const VERB = /^(?:\s|\/\*[^*]*\*\/|--[^\n]*\n)*([A-Za-z_]{2,24})\b/
const TABLE = /\b(?:from|into|update|table|call|exec|execute)\s+(?:if\s+(?:not\s+)?exists\s+|only\s+)?([\w."`$[\]-]{1,100})/i
const SQL_VERBS = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'MERGE',
  'WITH',
  'CREATE',
  'DROP',
  'ALTER',
  'TRUNCATE',
  'CALL',
  'EXEC',
  'EXECUTE',
])

/**
 * The operation is verb and collection; without a collection the sender's own low-cardinality summary,
 * else verb and table from the head of the statement, else verb and database system.
 */
export function readDatabase(draft: ViewDraft): void {
  const { attributes } = draft
  const system = textAt(attributes, 'db.system.name', 64) ?? textAt(attributes, 'db.system', 64)
  const verbKey = attributes.has('db.operation.name') ? 'db.operation.name' : 'db.operation'
  const verb = textAt(attributes, verbKey, 64)
  const statementKey = attributes.has('db.query.text') ? 'db.query.text' : 'db.statement'
  const statement = textAt(attributes, statementKey, STATEMENT_CHARS_MAX)
  if (system === null && verb === null && statement === null) return
  draft.kind = 'database'
  draft.derived.kind = system !== null ? systemKey(attributes) : verb !== null ? verbKey : statementKey
  const operation = operationOf(attributes, { verb, verbKey, system, statement, statementKey })
  if (operation === null) return
  draft.operation = operation.text
  draft.derived.operation = operation.key
}

interface DatabaseCall {
  verb: string | null
  verbKey: string
  system: string | null
  statement: string | null
  statementKey: string
}

function operationOf(attributes: OtlpAttributes, call: DatabaseCall): { text: string; key: string } | null {
  const collection = collectionOf(attributes)
  if (call.verb !== null && collection !== null) {
    return { text: `${call.verb} ${templateName(collection)}`, key: call.verbKey }
  }
  const summary = textAt(attributes, 'db.query.summary', OPERATION_CHARS_MAX)
  if (summary !== null) return { text: summary, key: 'db.query.summary' }
  const parsed = call.statement === null ? null : parseStatement(call.statement)
  const verb = call.verb ?? parsed?.verb ?? null
  if (verb === null) return null
  const target = collection ?? parsed?.table ?? call.system
  const key = call.verb === null ? call.statementKey : call.verbKey
  return { text: target === null ? verb : `${verb} ${templateName(target)}`, key }
}

function systemKey(attributes: OtlpAttributes): string {
  return attributes.has('db.system.name') ? 'db.system.name' : 'db.system'
}

function collectionOf(attributes: OtlpAttributes): string | null {
  for (const key of COLLECTION_KEYS) {
    const name = textAt(attributes, key, 128)
    if (name !== null) return name
  }
  return null
}

function parseStatement(statement: string): { verb: string; table: string | null } | null {
  const verb = VERB.exec(statement)?.[1]?.toUpperCase()
  if (verb === undefined) return null
  const table = SQL_VERBS.has(verb) ? (TABLE.exec(statement)?.[1] ?? null) : null
  return { verb, table: table === null ? null : table.replace(/["`[\]]/g, '') }
}
