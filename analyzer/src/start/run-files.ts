import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Says to scripts which process runs and on which port: `<data>/run/analyzer.pid` and `analyzer.json`. Returns how to unsay it. */
export function writeRunFiles(dataDir: string, { pid, port }: { pid: number; port: number }): () => void {
  const folder = join(dataDir, 'run')
  mkdirSync(folder, { recursive: true })
  const files = [
    { path: join(folder, 'analyzer.pid'), text: `${pid}\n` },
    { path: join(folder, 'analyzer.json'), text: `${JSON.stringify({ pid, analyzerPort: port })}\n` },
  ]
  for (const { path, text } of files) {
    writeFileSync(`${path}.${pid}`, text)
    renameSync(`${path}.${pid}`, path)
  }
  return () => {
    for (const { path } of files) rmSync(path, { force: true })
  }
}
