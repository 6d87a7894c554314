import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { addShown, NONE_SHOWN, packShown, unpackShown, withoutShown } from './shown-pains.ts'

const pains = Array.from({ length: 700 }, (_, n) => ({
  fingerprint: createHash('sha256').update(String(n)).digest('hex').slice(0, 32),
}))
const fingerprints = pains.map(({ fingerprint }) => fingerprint)

test('pages show every pain once, however the ranks change between them', () => {
  const seen: string[] = []
  let shown = NONE_SHOWN
  for (let page = 0; page < 6; page++) {
    const ranked = page % 2 === 0 ? pains.slice(0, 400) : pains.slice(0, 400).reverse()
    const items = withoutShown(ranked, shown).slice(0, 70)
    seen.push(...items.map(({ fingerprint }) => fingerprint))
    shown = addShown(
      shown,
      items.map(({ fingerprint }) => fingerprint),
    )
  }
  expect(seen).toHaveLength(400)
  expect(new Set(seen).size).toBe(400)
})

test('beyond those that a cursor names pages go on in the order of their moment', () => {
  const shown = addShown(addShown(NONE_SHOWN, fingerprints.slice(0, 300)), fingerprints.slice(300, 600))
  expect([shown.named.length, shown.unnamed]).toEqual([500, 100])
  expect(withoutShown(pains, shown)).toEqual(pains.slice(600))
})

test.each([0, 1, 500])('%d names come back as they were packed, in eight characters each', (count) => {
  const { named } = addShown(NONE_SHOWN, fingerprints.slice(0, count))
  expect(packShown(named)).toHaveLength(count * 8)
  expect(unpackShown(packShown(named))).toEqual(named)
})
