import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import Database from 'better-sqlite3'
import { type Incoming, type Listening, type Reply, type Route, serveTraced } from '../http-service.ts'
import { intBetween, pick, type Random } from '../random.ts'
import type { TraceIds } from '../trace-ids.ts'

const PRODUCTS = 200
const WAREHOUSES = ['wh-01', 'wh-07', 'wh-12'] as const

/** What the database says when it gives up a statement. */
class StatementTimeoutError extends Error {
  override readonly name = 'StatementTimeoutError'
  readonly code = '57014'
}

interface Query {
  operation: 'SELECT' | 'UPDATE'
  collection: string
  sql: string
  values: (string | number)[]
  fault: string | null
  random: Random
}

type Row = Record<string, string | number>

/** Owns the stock: an HTTP service over a real SQLite file, each statement a database span. */
export async function startInventory(tracer: Tracer, ids: TraceIds, path: string): Promise<Listening> {
  const db = openStock(path)
  const routes: Route[] = [
    { method: 'GET', template: '/stock/{id}', handle: (incoming) => readStock(tracer, db, incoming) },
    { method: 'POST', template: '/reservations', handle: (incoming) => reserve(tracer, db, incoming) },
  ]
  const listening = await serveTraced({ tracer, ids, routes, tellsErrors: true })
  return {
    url: listening.url,
    stop: async () => {
      await listening.stop()
      db.close()
    },
  }
}

function openStock(path: string): Database.Database {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.exec('create table stock (product integer primary key, count integer not null, shelf integer not null) strict')
  const insert = db.prepare('insert into stock values (?, ?, ?)')
  db.transaction(() => {
    for (let product = 1; product <= PRODUCTS; product++) insert.run(product, 1_000_000, product % 40)
  })()
  return db
}

function readStock(tracer: Tracer, db: Database.Database, { params, fault, random }: Incoming): Reply {
  const product = Number(params.id)
  const sql = 'SELECT count, shelf FROM stock WHERE product = ?'
  const rows = query(tracer, db, { operation: 'SELECT', collection: 'stock', sql, values: [product], fault, random })
  return rows[0] ? { status: 200, body: rows[0] } : { status: 404, body: { error: `no product ${product}` } }
}

function reserve(tracer: Tracer, db: Database.Database, { body, fault, random }: Incoming): Reply {
  const product = Number(body.product)
  const sql = 'UPDATE stock SET count = count - 1 WHERE product = ? RETURNING shelf'
  const [row] = query(tracer, db, { operation: 'UPDATE', collection: 'stock', sql, values: [product], fault, random })
  const shelf = fault === 'shelf-range' ? intBetween(random, 4_000, 9_999) : Number(row?.shelf ?? 0)
  pickShelf(tracer, shelf, pick(random, WAREHOUSES))
  return { status: 201, body: { reserved: product, shelf } }
}

function pickShelf(tracer: Tracer, shelf: number, warehouse: string): void {
  tracer.startActiveSpan('pick shelf', { attributes: { 'warehouse.id': warehouse } }, (span) => {
    try {
      if (shelf > PRODUCTS) throw new RangeError(`shelf ${shelf} of ${warehouse} is beyond the last row`)
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      throw error
    } finally {
      span.end()
    }
  })
}

function query(tracer: Tracer, db: Database.Database, { operation, collection, sql, values, fault, random }: Query): Row[] {
  const attributes = {
    'db.system.name': 'sqlite',
    'db.namespace': 'stock',
    'db.operation.name': operation,
    'db.collection.name': collection,
    'db.query.text': sql,
  }
  return tracer.startActiveSpan(`${operation} ${collection}`, { kind: SpanKind.CLIENT, attributes }, (span) => {
    try {
      if (fault === 'stock-timeout')
        throw new StatementTimeoutError(`canceling statement due to statement timeout after ${intBetween(random, 200, 900)} ms`)
      return db.prepare(sql).all(...values) as Row[]
    } catch (error) {
      span.recordException(error as Error)
      span.setAttribute('error.type', (error as Error).name)
      if (error instanceof StatementTimeoutError) span.setAttribute('db.response.status_code', error.code)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      throw error
    } finally {
      span.end()
    }
  })
}
