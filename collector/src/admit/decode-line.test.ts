import { expect, test } from '@jest/globals'
import { createDecodeLine } from './decode-line.ts'

test.each([
  ['one project, in order', '1a 1b 1c', 'a b c'],
  ['two projects, in turn', '1a 1b 1c 2d 2e', 'a d b e c'],
  ['a project that comes late is not behind a long line', '1a 1b 1c 1d 2e', 'a e b c d'],
  ['three', '1a 1b 2c 3d 3e', 'a c d b e'],
])('%s', (_, arriving, served) => {
  const line = createDecodeLine<string>()
  for (const [project, job] of arriving.split(' ').map((text) => [Number(text[0]), text[1]!] as const)) line.add(project, job)
  const order: string[] = []
  while (line.size() > 0) {
    expect(line.peek()).toBe(line.peek())
    order.push(line.take()!)
  }
  expect(order.join(' ')).toBe(served)
  expect([line.peek(), line.take()]).toEqual([undefined, undefined])
})
