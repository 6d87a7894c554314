import { expect, test } from '@jest/globals'
import { createLookup, StoreUnreadableError } from './lookup.ts'

test('a store that cannot be read is told as such, since its sender must hear that trying again may help', async () => {
  const lookup = createLookup({ path: '/nowhere/telemetry.db' }, () => {})
  try {
    await lookup.warm()
    await expect(lookup.find(1, new Uint8Array(24))).rejects.toBeInstanceOf(StoreUnreadableError)
  } finally {
    await lookup.close()
  }
})
