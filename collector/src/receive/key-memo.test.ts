import { expect, test } from '@jest/globals'
import { createKeyMemo } from './key-memo.ts'

function memo(rows: Map<string, string>) {
  const ends: (() => void)[] = []
  const state = { version: 1, asked: 0, finds: 0 }
  const { get } = createKeyMemo({
    find(key) {
      state.finds++
      return rows.get(key)
    },
    readVersion() {
      state.asked++
      return state.version
    },
    onTurnEnd: (callback) => void ends.push(callback),
  })
  const endTurn = () => {
    for (const end of ends.splice(0)) end()
  }
  return { get, state, endTurn }
}

test('a key is looked up once while the file stays as it is, and the file is asked once a turn', () => {
  const { get, state, endTurn } = memo(new Map([['a', 'A']]))
  expect([get('a'), get('a')]).toEqual(['A', 'A'])
  endTurn()
  expect(get('a')).toBe('A')
  expect(state).toMatchObject({ finds: 1, asked: 2 })
})

test('what changed in the file is seen in the next turn', () => {
  const rows = new Map([['a', 'A']])
  const { get, state, endTurn } = memo(rows)
  get('a')
  endTurn()
  rows.delete('a')
  state.version++
  expect(get('a')).toBeUndefined()
})

test('a key that is not there is looked up every time, so that guesses take no memory', () => {
  const rows = new Map<string, string>()
  const { get, state } = memo(rows)
  get('b')
  rows.set('b', 'B')
  expect(get('b')).toBe('B')
  expect(state.finds).toBe(2)
})

test('a version that could not be read is asked again', () => {
  let isBroken = true
  const { get } = createKeyMemo({
    find: () => 'row',
    readVersion() {
      if (isBroken) throw new Error('busy')
      return 1
    },
    onTurnEnd: () => {},
  })
  expect(() => get('a')).toThrow('busy')
  isBroken = false
  expect(get('a')).toBe('row')
})
