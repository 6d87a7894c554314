import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE_MODE = 0o600

/** Says in the data folder which process this is and where it really listens; whoever reads it never sees half a file. */
export function writeRunFiles(dataDir: string, pid: number, ports: { otlpHttpPort: number }): () => void {
  const folder = join(dataDir, 'run')
  const files = { 'collector.pid': `${pid}\n`, 'collector.json': `${JSON.stringify(ports)}\n` }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.new`), text, { mode: FILE_MODE })
    renameSync(join(folder, `${name}.new`), join(folder, name))
  }
  return () => {
    for (const name of Object.keys(files)) rmSync(join(folder, name), { force: true })
  }
}
