import { fileURLToPath } from 'node:url'
import { until } from '../harness/http.ts'
import { type BenchServer, startProcess } from './bench-server.ts'

const READY_MS = 10_000

/** A server that drops everything: the ceiling of the load itself. */
export async function startDropServer(env: NodeJS.ProcessEnv): Promise<BenchServer> {
  const entry = fileURLToPath(new URL('./drop-server.ts', import.meta.url))
  const running = startProcess(process.execPath, ['--disable-warning=ExperimentalWarning', entry], env)
  const httpPort = await until('the drop server', () => Number(/^\d+$/m.exec(running.output())?.[0] ?? 0) || null, READY_MS)
  return { name: 'drop', httpPort, grpcPort: 0, key: '', pid: running.pid, dataDir: null, stop: () => running.end('SIGKILL') }
}
