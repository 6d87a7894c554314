import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { openDatabase } from '@loopkit/shared/database/open'
import {
  addKey,
  addProject,
  spanIdOf,
  startTestCollector,
  type TestCollector,
  traceIdOf,
  traceJson,
  until,
} from '../start/collector.fixture.ts'

const MIB = 1024 ** 2
const DISK_BYTES = 48 * MIB

const disk = mkdtempSync(join(tmpdir(), 'loopkit-disk-'))
const mount = () => spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk]).status === 0
const unmount = () => spawnSync('umount', [disk])
const canMount = mount()
if (canMount) unmount()
else console.log('a full disk is not tested: no tmpfs can be mounted here')
const onDisk = canMount ? test : test.skip

const elsewhere = mkdtempSync(join(tmpdir(), 'loopkit-control-'))
let collector: TestCollector

beforeEach(async () => {
  if (!canMount) return
  mount()
  mkdirSync(join(disk, 'data'))
  // Elsewhere, so that a project can be deleted while the disk is full.
  symlinkSync(join(elsewhere, `control-${sent}.db`), join(disk, 'data', 'control.db'))
  collector = await startTestCollector({
    dataDir: join(disk, 'data'),
    env: { LOOPKIT_BALLAST_MAX_BYTES: String(64 * MIB), LOOPKIT_RETENTION_EVERY_MS: '500', LOOPKIT_SELF_TELEMETRY: 'false' },
  })
  await until('the ballast', () => (existsSync(join(collector.dataDir, 'ballast')) ? true : null))
})
afterEach(async () => {
  if (!canMount) return
  await collector.stop()
  unmount()
})
afterAll(() => {
  for (const folder of [disk, elsewhere]) rmSync(folder, { recursive: true, force: true })
})

/** But for so many bytes, whoever else takes room meanwhile. */
const fillUp = (path: string, freeBytes: number) => {
  for (let chunk = MIB; chunk >= 4096; chunk /= 4) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(chunk))
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
    }
  }
  truncateSync(path, statSync(path).size - freeBytes)
}
const freeBytes = () => {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}
let sent = 0
const send = (noiseBytes: number, key?: string) => {
  sent++
  const noise = randomBytes(noiseBytes / 2).toString('hex')
  const body = traceJson([{ traceId: traceIdOf(sent), spanId: spanIdOf(1), attributes: { noise } }])
  return collector.send(body, key === undefined ? {} : { key })
}
const codes = () => collector.logLines.map(({ code }) => code)

/** Sends until it is refused; answers how many were taken. */
async function fill(key?: string): Promise<number> {
  for (let taken = 0; ; taken++) {
    const { status, body } = await send(500_000, key)
    if (status !== 200) {
      expect([status, /full/i.test(body.toString())]).toEqual([503, true])
      return taken
    }
    // What comes between two checkpoints is what the ballast, here of 3 MiB, must have room for.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** A reader that goes on and on, as a backup does: the log grows and nothing of it is moved. */
function pinLog(): () => void {
  const reader = openDatabase(join(collector.dataDir, 'telemetry.db'), { role: 'reader' })
  reader.exec('begin')
  reader.prepare('select count(*) from segment').get()
  return () => reader.close()
}

const sizeOf = (name: string) => statSync(join(collector.dataDir, name), { throwIfNoEntry: false })?.size ?? 0

/** Sends until it is taken again; answers how long that took. */
async function recover(): Promise<number> {
  const startMs = performance.now()
  while ((await send(10)).status !== 200) {
    if (performance.now() - startMs > 20_000)
      throw new Error(`never taken again: ${JSON.stringify(collector.logLines.slice(-5))}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return performance.now() - startMs
}

onDisk(
  'a full disk refuses spans at once, answers reads, and takes spans again when others make space',
  async () => {
    const filler = join(disk, 'filler')
    writeFileSync(filler, Buffer.alloc(freeBytes() - 6 * MIB))
    const taken = await fill()
    expect(taken).toBeGreaterThan(0)
    await until('the ballast to go', () => (existsSync(join(collector.dataDir, 'ballast')) ? null : true))
    const startMs = performance.now()
    expect((await send(10)).status).toBe(503)
    expect(performance.now() - startMs).toBeLessThan(1000)
    expect((await collector.send('', { path: '/health', method: 'GET' })).status).toBe(200)
    expect((await collector.send('', { path: '/readyz', method: 'GET' })).status).toBe(503)
    expect(collector.rows('select sum(records) as n from segment')).toEqual([{ n: BigInt(taken) }])
    truncateSync(filler, 0)
    expect(await recover()).toBeLessThan(5000)
    expect(codes()).toEqual(expect.arrayContaining(['disk.full', 'disk.recovered']))
    expect(collector.fatal).toEqual([])
    await until('the ballast', () => (existsSync(join(collector.dataDir, 'ballast')) ? true : null))
  },
  60_000,
)

onDisk(
  'a disk that its own records filled is cleared by retention, with the room that the ballast held',
  async () => {
    const doomed = addProject(collector.control, { name: 'doomed' })
    addKey(collector.control, { key: 'doomed', projectNo: doomed })
    expect(await fill('doomed')).toBeGreaterThan(10)
    await until('the disk to be full', () => (codes().includes('disk.full') ? true : null))
    collector.control.prepare('update project set deleted_at_ms = 1 where project_no = ?').run(doomed)
    expect(await recover()).toBeLessThan(15_000)
    const left = () => collector.rows('select count(*) as n from segment where project_no = ?', doomed)[0]!.n
    await until('the last segment to go', () => (left() === 0n ? true : null))
    await until('the space to be given back', () => (freeBytes() > 20 * MIB ? true : null))
    expect(codes()).toContain('retain.pass')
    expect(collector.fatal).toEqual([])
  },
  60_000,
)

onDisk(
  'a disk that others filled while a reader pinned a log larger than the ballast is cleared by retention too',
  async () => {
    const doomed = addProject(collector.control, { name: 'doomed' })
    addKey(collector.control, { key: 'doomed', projectNo: doomed })
    const unpin = pinLog()
    const logBytes = sizeOf('ballast') * 3
    while (sizeOf('telemetry.db-wal') < logBytes) {
      expect((await send(500_000, 'doomed')).status).toBe(200)
      // As fast as others may fill the disk: the room is held within a second.
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    await until('the reserve to be held', () => (sizeOf('ballast.log') + sizeOf('ballast') >= logBytes / 2 ? true : null))
    fillUp(join(disk, 'filler'), 64 * 1024)
    await until('the disk to be full', () => (codes().includes('disk.full') ? true : null))
    expect((await send(10)).status).toBe(503)
    collector.control.prepare('update project set deleted_at_ms = 1 where project_no = ?').run(doomed)
    unpin()
    expect(await recover()).toBeLessThan(15_000)
    expect(collector.fatal).toEqual([])
    await until('the reserve to go', () => (sizeOf('ballast.log') === 0 ? true : null))
  },
  60_000,
)
