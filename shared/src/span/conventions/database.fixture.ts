import { type SpanFixture, viewWith } from './sent-span.fixture.ts'

export const DATABASE_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: 'names a call by verb and collection',
    sent: {
      name: 'SELECT orders',
      kind: 3,
      resource: { 'service.name': 'orders' },
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'orders',
        'db.namespace': 'shop',
        'db.query.text': 'SELECT * FROM orders WHERE id = $1',
        'server.address': 'pg-1',
      },
    },
    view: viewWith({
      kind: 'database',
      operation: 'SELECT orders',
      service: 'orders',
      derived_from: { service: 'resource.service.name', kind: 'db.system.name', operation: 'db.operation.name' },
    }),
  },
  {
    guarantee: "takes the sender's summary where no collection is named",
    sent: {
      name: 'SELECT orders customers',
      kind: 3,
      attributes: {
        'db.system.name': 'postgresql',
        'db.query.summary': 'SELECT orders customers',
        'db.query.text': 'SELECT * FROM orders o JOIN customers c ON o.c = c.id',
      },
    },
    view: viewWith({
      kind: 'database',
      operation: 'SELECT orders customers',
      derived_from: { kind: 'db.system.name', operation: 'db.query.summary' },
    }),
  },
  {
    guarantee: 'reads verb and table from the head of a statement',
    sent: {
      name: 'pg.query:SELECT',
      kind: 3,
      attributes: {
        'db.system': 'postgresql',
        'db.name': 'shop',
        'db.statement': '/* app */ insert into "public"."cart_items" (id, n) values ($1, $2)',
      },
    },
    view: viewWith({
      kind: 'database',
      operation: 'INSERT public.cart_items',
      derived_from: { kind: 'db.system', operation: 'db.statement' },
    }),
  },
  {
    guarantee: 'templates a collection that is named after a day',
    sent: {
      name: 'find',
      kind: 3,
      attributes: { 'db.system': 'mongodb', 'db.operation': 'find', 'db.mongodb.collection': 'events_20260619' },
    },
    view: viewWith({
      kind: 'database',
      operation: 'find events_*',
      derived_from: { kind: 'db.system', operation: 'db.operation' },
    }),
  },
  {
    guarantee: 'names a command of a store without collections by the store',
    sent: {
      name: 'HGETALL',
      kind: 3,
      attributes: { 'db.system': 'redis', 'db.statement': 'HGETALL cart:8812', 'net.peer.name': 'redis' },
    },
    view: viewWith({
      kind: 'database',
      operation: 'HGETALL redis',
      derived_from: { kind: 'db.system', operation: 'db.statement' },
    }),
  },
  {
    guarantee: 'keeps the templated span name where no verb can be told',
    sent: { name: 'connect 10.0.0.8', kind: 3, attributes: { 'db.system': 'mysql' } },
    view: viewWith({
      kind: 'database',
      operation: 'connect *.*.*.*',
      derived_from: { kind: 'db.system', operation: 'span.name' },
    }),
  },
]
