import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Proves ownership of a project for as long as its epoch stands; rotating keys does not change it. */
export function recoveryCode(secret: string, projectId: string, epoch: number): string {
  return hmacHex(secret, epoch === 0 ? `recover:${projectId}` : `recover:${projectId}:${epoch}`)
}

/** What the instance's owner hands out to make a sandbox permanent. */
export function upgradeCode(secret: string, projectId: string): string {
  return hmacHex(secret, `signup-upgrade:sandbox:${projectId}`)
}

/** Compares in a time that does not depend on where the two differ, nor on their lengths. Hex is taken in either case. */
export function isSameCode(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text.trim().toLowerCase(), 'utf8').digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function hmacHex(secret: string, message: string): string {
  return createHmac('sha256', secret).update(message, 'utf8').digest('hex')
}
