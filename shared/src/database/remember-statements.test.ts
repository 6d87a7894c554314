import { expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { rememberStatements } from './remember-statements.ts'

function numbers() {
  const db = rememberStatements(new Database(':memory:'))
  db.exec('create table n (n integer); insert into n values (1), (2), (3)')
  return db
}

const ALL = 'select n from n order by n'

test('the same text in another form answers in that form, kept or made anew', () => {
  const db = numbers()
  const plain = db.prepare(ALL)
  const plucked = db.prepare(ALL).pluck()
  const large = db.prepare(ALL).pluck().safeIntegers()
  expect(plain.get()).toEqual({ n: 1 })
  expect(plucked.all()).toEqual([1, 2, 3])
  expect(large.get()).toBe(1n)
  expect(db.prepare(ALL).raw().get()).toEqual([1])
  expect(plain.all()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
})

test('a statement that is read from answers a second caller too', () => {
  const db = numbers()
  const pairs: unknown[] = []
  for (const a of db.prepare(ALL).pluck().iterate()) for (const b of db.prepare(ALL).pluck().iterate()) pairs.push([a, b])
  expect(pairs).toHaveLength(9)
})

test('sees a table that has changed since', () => {
  const db = numbers()
  expect(db.prepare('select * from n').get()).toEqual({ n: 1 })
  db.exec('alter table n add column m integer default 7')
  expect(db.prepare('select * from n').get()).toEqual({ n: 1, m: 7 })
})

test('more statements than are kept are still answered', () => {
  const db = numbers()
  for (let i = 0; i < 1200; i++) expect(db.prepare(`select ${i}`).pluck().get()).toBe(i)
  expect(db.prepare('select 0').pluck().get()).toBe(0)
})
