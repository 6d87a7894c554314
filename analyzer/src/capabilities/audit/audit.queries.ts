import type { Control, ControlQueries } from '../../control/control-database.ts'
import type { AuditTable } from '../../control/tables.ts'
import { type AuditEntry, type AuditRow, GENESIS_HASH, hashEntry } from './audit.rules.ts'

export interface AuditQueries {
  /** Puts one row at the end of the chain. Only inside a transaction that holds the write lock. */
  append(queries: ControlQueries, entry: AuditEntry): void
  lastSeq(): number
  /** Rows in order, read in pages, so that a long chain needs no memory. */
  rows(): Generator<AuditRow>
}

const PAGE_ROWS = 1_000

export function createAuditQueries({ db, first, all }: Control): AuditQueries {
  const last = db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1)
  return {
    append: (queries, entry) => {
      const { seq, hash: previousHash } = queries.first(last) ?? { seq: 0, hash: GENESIS_HASH }
      const hash = hashEntry(seq + 1, entry, previousHash)
      queries.run(
        db.insertInto('audit').values(toTable({ ...entry, seq: seq + 1, previousHash: Buffer.from(previousHash), hash })),
      )
    },
    lastSeq: () => first(last)?.seq ?? 0,
    *rows() {
      for (let after = 0; ; ) {
        const page = all(db.selectFrom('audit').selectAll().where('seq', '>', after).orderBy('seq').limit(PAGE_ROWS))
        yield* page.map(toRow)
        const end = page.at(-1)
        if (!end) return
        after = end.seq
      }
    },
  }
}

function toTable(row: AuditRow): AuditTable {
  return {
    seq: row.seq,
    at_ms: row.atMs,
    request_id: row.requestId,
    project_no: row.projectNo,
    key_id: row.keyId,
    agent_id: row.agentId,
    method: row.method,
    route: row.route,
    status: row.status,
    address: row.address,
    body_digest: row.bodyDigest,
    body: row.body,
    code: row.code,
    count: row.count,
    previous_hash: row.previousHash,
    hash: row.hash,
  }
}

function toRow(row: AuditTable): AuditRow {
  return {
    seq: row.seq,
    atMs: row.at_ms,
    requestId: row.request_id,
    projectNo: row.project_no,
    keyId: row.key_id,
    agentId: row.agent_id,
    method: row.method,
    route: row.route,
    status: row.status,
    address: row.address,
    bodyDigest: row.body_digest,
    body: row.body,
    code: row.code,
    count: row.count,
    previousHash: row.previous_hash,
    hash: row.hash,
  }
}
