import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What must come of it. `refused`: exit code 74, one line, the file as it was. `harmless`: ready at once, nothing is missing.
 * `lost`: it runs, takes spans, and says what is gone. `honest`: what was damaged may not have mattered; then nothing is said,
 * else as `lost`.
 */
export type ExpectedAnswer = 'refused' | 'harmless' | 'lost' | 'honest'

export interface DamageCase {
  name: string
  database: 'telemetry.db' | 'control.db'
  expected: ExpectedAnswer
  apply(dataDir: string): void
}

const PAGE_BYTES = 8192
const HEADER_BYTES = 100
const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** What can have become of the files of an instance that was killed, while nobody looked. */
export const DAMAGE_CASES: readonly DamageCase[] = (['telemetry.db', 'control.db'] as const).flatMap((database) => {
  const one = (name: string, expected: ExpectedAnswer, apply: (path: string) => void): DamageCase => ({
    name: `${database}: ${name}`,
    database,
    expected,
    apply: (dataDir) => apply(join(dataDir, database)),
  })
  return [
    one('killed, nothing else', 'harmless', () => {}),
    one('-shm removed', 'harmless', (path) => rmSync(`${path}-shm`, { force: true })),
    one('-shm zeroed', 'harmless', (path) => writeFileSync(`${path}-shm`, Buffer.alloc(32_768))),
    one('mark removed', 'harmless', (path) => rmSync(path.replace('.db', '.commit'))),
    one('mark torn', 'harmless', (path) => truncateSync(path.replace('.db', '.commit'), 40)),
    one('-wal removed', 'lost', (path) => rmSync(`${path}-wal`)),
    one('-wal and -shm removed', 'lost', (path) => ['-wal', '-shm'].forEach((end) => void rmSync(path + end, { force: true }))),
    one('-wal cut to nothing', 'lost', (path) => truncateSync(`${path}-wal`, 0)),
    one('-wal cut in its middle', 'honest', (path) => truncateSync(`${path}-wal`, frameAt(path, 0.5))),
    one('-wal cut inside its last frame', 'honest', (path) => truncateSync(`${path}-wal`, frameAt(path, 1) - 100)),
    ...[0.1, 0.5, 0.9].map((share) =>
      one(`-wal, byte flipped in the frame at ${share}`, 'honest', (path) => flip(`${path}-wal`, frameAt(path, share) + 1_000)),
    ),
    one('-wal, header flipped', 'honest', (path) => flip(`${path}-wal`, 17)),
    one('removed', 'refused', (path) => rmSync(path)),
    one('removed with its log', 'refused', removeWhole),
    one('cut to nothing', 'refused', (path) => truncateSync(path, 0)),
    one(
      'cut to nothing, without its log',
      'refused',
      after(removeLog, (path) => truncateSync(path, 0)),
    ),
    one(
      'cut to its header, without its log',
      'refused',
      after(removeLog, (path) => truncateSync(path, HEADER_BYTES)),
    ),
    one(
      'cut to its half, without its log',
      'refused',
      after(removeLog, (path) => truncateSync(path, halfOf(path))),
    ),
    one('first page zeroed', 'refused', (path) => overwrite(path, 0, Buffer.alloc(PAGE_BYTES))),
    one('another kind of file', 'refused', (path) =>
      writeFileSync(path, 'this is no database, and longer than a header\n'.repeat(300)),
    ),
    one(
      'a directory in its place',
      'refused',
      after(rmSync, (path) => void mkdirSync(path)),
    ),
    one('a directory in the place of its log', 'refused', (path) => after(rmSync, (log) => void mkdirSync(log))(`${path}-wal`)),
  ]
})

function after(first: (path: string) => void, then: (path: string) => void): (path: string) => void {
  return (path) => {
    first(path)
    then(path)
  }
}

function removeLog(path: string): void {
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
}

function removeWhole(path: string): void {
  removeLog(path)
  rmSync(path)
}

function halfOf(path: string): number {
  return Math.floor(statSync(path).size / 2 / PAGE_BYTES) * PAGE_BYTES
}

/** Where the frame at this share of the log begins, of those that belong to it: behind them lies what an earlier round left. */
function frameAt(path: string, share: number): number {
  const log = readFileSync(`${path}-wal`)
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  let frames = 0
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes, frames++)
    if (!log.subarray(at + 8, at + 16).equals(salt)) break
  if (frames === 0) throw new Error(`${path}-wal holds no frame`)
  return WAL_HEADER_BYTES + Math.floor(frames * share) * frameBytes
}

function flip(path: string, at: number): void {
  const content = readFileSync(path)
  content[at] = (content[at] ?? 0) ^ 0x10
  writeFileSync(path, content)
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const content = readFileSync(path)
  bytes.copy(content, at)
  writeFileSync(path, content)
}

/** All of a path that a start must not change, to compare. */
export function contentOf(path: string): string {
  if (!existsSync(path)) return 'nothing'
  return statSync(path).isDirectory() ? `directory of ${readdirSync(path).length}` : readFileSync(path).toString('latin1')
}
