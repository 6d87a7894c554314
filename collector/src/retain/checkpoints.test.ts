import { expect, test } from '@jest/globals'
import { type LogProgress, noteProgress } from './checkpoints.ts'

test.each<[string, LogProgress | null, frames: number, moved: number, sinceMs: number]>([
  ['the first look knows nothing', null, 10, 5, 100],
  ['a log that is moved whole is not held', { frames: 9, moved: 9, sinceMs: 1 }, 9, 9, 100],
  ['progress ends the holding', { frames: 9, moved: 5, sinceMs: 1 }, 10, 6, 100],
  ['frames that stay behind are held since then', { frames: 9, moved: 5, sinceMs: 1 }, 20, 5, 1],
])('%s', (_, before, frames, moved, sinceMs) => {
  expect(noteProgress(before, frames, moved, 100)).toEqual({ frames, moved, sinceMs })
})
