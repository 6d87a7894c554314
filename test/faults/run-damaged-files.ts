import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../harness/service-process.ts'
import { withFaultRig } from './with-fault-rig.ts'

export interface DamageSeen {
  damage: string
  exitCode: number | null
  /** The last line that the collector printed: why it does not start. */
  line: string
  /** What lay in the place of telemetry.db is what lies there now. */
  leftAsItWas: boolean
}

const START_MAX_MS = 15_000
const HEADER_BYTES = 100

/** What can have become of telemetry.db while nobody looked. */
const DAMAGES: Record<string, (path: string) => void> = {
  'cut to its half': (path) => truncateSync(path, Math.floor(statSync(path).size / 2 / 8192) * 8192),
  'cut to its header': (path) => truncateSync(path, HEADER_BYTES),
  'cut to nothing': (path) => truncateSync(path, 0),
  'its first page zeroed': (path) => overwrite(path, 0, Buffer.alloc(8192)),
  'another kind of file': (path) => writeFileSync(path, 'this is no database, and longer than a header\n'.repeat(100)),
  'a directory in its place': (path) => {
    rmSync(path)
    mkdirSync(path)
  },
}

/** Damages the file of a stopped collector in each way, and starts a collector on it. */
export function runDamagedFiles(): Promise<DamageSeen[]> {
  return withFaultRig(async (rig, dataDir) => {
    const endLoad = rig.load(2)
    await new Promise((resolve) => setTimeout(resolve, 500))
    await endLoad()
    await rig.endAnalyzer()
    await rig.collector().end('SIGTERM')
    const sound = join(dataDir, '..', `${dataDir.split('/').at(-1)}-sound`)
    cpSync(dataDir, sound, { recursive: true })
    try {
      const seen: DamageSeen[] = []
      for (const [damage, apply] of Object.entries(DAMAGES)) {
        const path = join(dataDir, 'telemetry.db')
        for (const name of readdirSync(dataDir).filter((file) => file.startsWith('telemetry.db')))
          rmSync(join(dataDir, name), { recursive: true })
        copyFileSync(join(sound, 'telemetry.db'), path)
        apply(path)
        const before = contentOf(path)
        seen.push({ damage, ...(await startAndFail(dataDir)), leftAsItWas: before === contentOf(path) })
      }
      return seen
    } finally {
      rmSync(sound, { recursive: true, force: true })
    }
  })
}

/** Starts a collector that is expected to refuse; the code is null where it had to be ended instead. */
export async function startAndFail(dataDir: string): Promise<{ exitCode: number | null; line: string }> {
  const { PATH } = process.env
  const ports = { LOOPKIT_OTLP_HTTP_PORT: '0', LOOPKIT_OTLP_GRPC_PORT: '0' }
  const child = spawn(process.execPath, [join(projectRoot, 'collector', 'src', 'main.ts')], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: START_MAX_MS,
    killSignal: 'SIGKILL',
    env: { PATH, LOOPKIT_DATA_DIR: dataDir, ...ports },
  })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, line: printed.trim().split('\n')[0] ?? '' }
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const content = readFileSync(path)
  bytes.copy(content, at)
  writeFileSync(path, content)
}

function contentOf(path: string): string {
  return statSync(path).isDirectory() ? `directory of ${readdirSync(path).length}` : readFileSync(path).toString('latin1')
}
