import { expect, test } from '@jest/globals'
import { TUNED_FLAGS, tunedProcess } from './tune-process.ts'

type Started = Parameters<typeof tunedProcess>[0]
const started = (more: Partial<Started> = {}): Started => ({
  platform: 'linux',
  execPath: '/node',
  execArgv: [],
  argv: ['/node', '/main.ts', '--help'],
  ...more,
})

test('a process that was started plainly begins anew with the same arguments, and once only', () => {
  const tuned = tunedProcess(started(), { HOME: '/root', UNSET: undefined })
  expect(tuned?.args).toEqual(['/node', ...TUNED_FLAGS, '/main.ts', '--help'])
  expect(tuned?.env).toMatchObject({ HOME: '/root', MALLOC_ARENA_MAX: '2' })
  expect(tuned?.env).not.toHaveProperty('UNSET')
  expect(tunedProcess(started(), tuned!.env)).toBeNull()
})

test('what somebody has chosen stays', () => {
  expect(tunedProcess(started(), { MALLOC_ARENA_MAX: '8' })).toBeNull()
  const args = tunedProcess(started({ execArgv: ['--max-semi-space-size=16'] }), {})?.args
  expect(args?.filter((flag) => flag.startsWith('--max-semi-space-size'))).toEqual(['--max-semi-space-size=16'])
})

test.each(['darwin', 'win32'] as const)('%s has another allocator', (platform) => {
  expect(tunedProcess(started({ platform }), {})).toBeNull()
})
