import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { whyNoShim } from '../faults/fault-shim.ts'
import { runClockSteps } from '../faults/run-clock-steps.ts'
import { runDamagedFiles } from '../faults/run-damaged-files.ts'
import { runFirstStarts } from '../faults/run-first-starts.ts'
import { runKills } from '../faults/run-kills.ts'
import { runOldSqlite } from '../faults/run-old-sqlite.ts'
import { runOutOfMemory, whyNoMemoryGroup } from '../faults/run-out-of-memory.ts'
import { runPauses } from '../faults/run-pauses.ts'
import { runSecondCollector } from '../faults/run-second-collector.ts'
import { createGrpcSender, grpcPortOf } from '../harness/grpc-calls.ts'
import { callApi } from '../harness/http.ts'
import { startService } from '../harness/service-process.ts'
import { readHttpAnswer } from './answers.ts'
import type { Row } from './rule-ids.ts'

const SEED = 3
/** Generous, for machines that do something else too; each takes seconds. */
const TIMEOUT_MS = 180_000
const KEPT = { lost: 0, doubled: 0, spurious: [], changed: [] }
const ANY_PORT = { LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0' }

const starts: Row<null>[] = [
  {
    ids: ['B5', 'A16', 'P9'],
    name: 'without control.db every key is a 503 and UNAVAILABLE that say when, never a 401; a port that is taken is exit 75',
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const dataDirs = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'loopkit-alone-')))
      const alone = await startService({ name: 'collector', dataDir: dataDirs[0]!, env: ANY_PORT })
      try {
        const port = grpcPortOf(dataDirs[0]!)
        const http = await callApi(`http://127.0.0.1:${alone.port}/v1/traces`, {
          key: 'lk_ingest_any',
          body: '{}',
          headers: { 'content-type': 'application/json' },
        })
        expect(readHttpAnswer(http, 'json')).toMatchObject({
          status: 503,
          code: 14,
          message: expect.stringMatching(/^control_unavailable: /),
        })
        expect([http.headers.get('retry-after'), (await callApi(`http://127.0.0.1:${alone.port}/readyz`)).status]).toEqual([
          '1',
          503,
        ])
        const sender = createGrpcSender(port, 'lk_ingest_any')
        expect(await sender.call(new Uint8Array(0))).toMatchObject({
          code: 14,
          statusDetails: expect.stringContaining('google.rpc.RetryInfo'),
        })
        sender.close()
        const second = startService({
          name: 'collector',
          dataDir: dataDirs[1]!,
          env: { ...ANY_PORT, LOOPKIT_OTLP_GRPC_PORT: String(port) },
        })
        await expect(second).rejects.toThrow(
          new RegExp(`ended with 75\\nloopkit collector: .*EADDRINUSE.*:${port}; change .*LOOPKIT_OTLP_GRPC_PORT`),
        )
      } finally {
        await alone.end('SIGTERM')
        for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true })
      }
    },
  },
  {
    ids: ['O63'],
    name: 'an SQLite with the bug that damages logs is refused by its version',
    timeoutMs: TIMEOUT_MS,
    run: async () => expect(await runOldSqlite()).toMatch(/ended with 69\n.*SQLite 3\.51\.2 is too old, 3\.51\.3 is needed/),
  },
  {
    ids: ['O56'],
    name: `killed while it brings a file of the first schema up to date, the file has the old schema or the new one (seed ${SEED})`,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runFirstStarts({ kills: 8, seed: SEED })
      expect(report).toMatchObject({ mixed: 0, started: true })
      expect(report.struck).toBeGreaterThan(0)
    },
  },
  {
    ids: ['O60'],
    name: 'a second collector on the folder ends with 75 and harms nothing',
    timeoutMs: TIMEOUT_MS,
    run: async () =>
      expect(await runSecondCollector()).toMatchObject({
        ...KEPT,
        kept: true,
        exitCode: 75,
        line: expect.stringMatching(/another collector/),
      }),
  },
]

const ends: Row<null>[] = [
  {
    ids: ['O56', 'A23'],
    name: `kill -9 and SIGTERM under load lose no acknowledged span and store none twice (seed ${SEED})`,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runKills({ kills: 3, cleanStops: 1, seed: SEED })
      expect(report).toMatchObject({ ...KEPT, accepted: report.acknowledged, exitCodes: [0, 0] })
      expect(report.acknowledged).toBeGreaterThan(500)
      expect(report.killsUnderLoad).toBeGreaterThan(0)
    },
  },
  {
    ids: ['O58'],
    name: 'stopped for seconds and let go on, it commits what was under way once, whoever still waits for it',
    timeoutMs: TIMEOUT_MS,
    run: async () =>
      expect(await runPauses({ pauses: 1, pauseMs: 2_000 })).toMatchObject({ ...KEPT, kept: true, crashed: false }),
  },
  {
    ids: ['O59'],
    name: 'killed by the kernel for its memory, a restart has every acknowledged span once',
    whyNot: whyNoMemoryGroup,
    timeoutMs: TIMEOUT_MS,
    run: async () => expect(await runOutOfMemory()).toMatchObject({ ...KEPT, kept: true, exitCode: null }),
  },
  {
    ids: ['O64'],
    name: 'a clock that is set back an hour and ahead three stops nothing, loses nothing and measures nothing below zero',
    whyNot: whyNoShim,
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const report = await runClockSteps()
      expect(report).toMatchObject({ ...KEPT, kept: true, stayedReady: true, negativeDurations: 0, crashed: false })
      expect(report.resumedMaxMs).toBeLessThan(3_000)
    },
  },
]

const DAMAGES = [
  'killed, nothing else',
  '-shm removed',
  '-wal removed',
  'first page zeroed',
  'another kind of file',
  'a directory in its place',
]

const damages: Row<null>[] = [
  {
    ids: ['O61'],
    name: 'lost and damaged files: a lost -shm is nothing, a lost -wal is told with its range, the rest is refused with 74 and left',
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      const seen = await runDamagedFiles((name) => DAMAGES.some((damage) => name === `telemetry.db: ${damage}`))
      expect(seen).toHaveLength(DAMAGES.length)
      // Right after a checkpoint the log held nothing that the database does not: then there is nothing to tell.
      const isEmptyLog = ({ name, gone, says }: (typeof seen)[number]) =>
        name.endsWith('-wal removed') && gone === 0 && says === ''
      expect(seen.filter((one) => !one.isKept && !isEmptyLog(one))).toEqual([])
    },
  },
]

/** Faults of starting, running and ending, each on a collector of its own. */
export const processFaultRows: Row<null>[] = [...starts, ...ends, ...damages]
