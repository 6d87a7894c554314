import { expect, jest, test } from '@jest/globals'
import { createWorkTurns } from './work-turns.ts'

const KIB = 1024
const BODY = 256 * KIB

/** Lets what is waiting for promises go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

function create() {
  let nowMs = 0
  const turns = createWorkTurns(() => nowMs)
  const entered: string[] = []
  const leavers: (() => void)[] = []
  const enter = (project: number, name: string, bytes = BODY) =>
    void turns.enter(project, bytes).then((leave) => {
      if (!leave) return
      entered.push(name)
      leavers.push(leave)
    })
  const passMs = (ms: number) => {
    nowMs += ms
  }
  return { enter, entered, leavers, passMs }
}

test('a project alone has two commits of bodies worked on', async () => {
  const { enter, entered, leavers } = create()
  for (let i = 0; i < 64; i++) enter(1, `${i}`)
  await turn()
  expect(entered).toHaveLength(32)
  leavers[0]?.()
  await turn()
  expect(entered).toHaveLength(33)
})

test('once another has come it has one body after the other worked on, and the other is served at once', async () => {
  const { enter, entered, leavers, passMs } = create()
  for (let i = 0; i < 64; i++) enter(1, 'flood')
  await turn()
  enter(2, 'quiet', 4 * KIB)
  await turn()
  expect(entered.at(-1)).toBe('quiet')
  for (const leave of leavers.splice(0)) leave()
  await turn()
  expect(leavers).toHaveLength(1)
  // Other exporters send every few seconds: their share is kept.
  passMs(30_000)
  leavers.shift()?.()
  await turn()
  expect(leavers).toHaveLength(1)
  passMs(61_000)
  leavers.shift()?.()
  await turn()
  // All that still waited.
  expect(leavers).toHaveLength(30)
})

test('a body larger than a share is worked on alone', async () => {
  const { enter, entered, leavers } = create()
  enter(2, 'other', 1)
  enter(1, 'large', 16 * KIB * KIB)
  enter(1, 'next')
  await turn()
  expect(entered).toEqual(['other', 'large'])
  leavers[1]?.()
  await turn()
  expect(entered).toEqual(['other', 'large', 'next'])
})

test('who waits in vain is told so, and takes no turn', async () => {
  jest.useFakeTimers()
  try {
    const turns = createWorkTurns(() => 0)
    const leave = await turns.enter(1, 16 * KIB * KIB)
    const second = turns.enter(1, BODY)
    jest.advanceTimersByTime(2_000)
    expect(await second).toBeNull()
    leave?.()
    expect(await turns.enter(1, BODY)).not.toBeNull()
  } finally {
    jest.useRealTimers()
  }
})
