import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Secrets and telemetry lie in it: nobody else on the machine reads it. */
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/**
 * Creates a folder and those above it, one at a time. Node's own recursive mode never returns where the kernel answers
 * ENOENT for a folder whose parent exists, as /proc does.
 */
export function createFolder(path: string): void {
  const missing: string[] = []
  for (let at = resolve(path); !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.push(at)
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder, { mode: FOLDER_MODE })
    } catch (error) {
      // Both processes start at once: the other one was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/**
 * Says to scripts which process runs a service and where it really listens: `<data>/run/<service>.pid` and `.json`.
 * Whoever reads them never sees half a file. Returns how to unsay it.
 */
export function writeRunFiles(dataDir: string, service: string, pid: number, facts: Record<string, number>): () => void {
  const folder = join(dataDir, 'run')
  createFolder(folder)
  const files = { [`${service}.pid`]: `${pid}\n`, [`${service}.json`]: `${JSON.stringify({ pid, ...facts })}\n` }
  for (const [name, text] of Object.entries(files)) {
    const draft = join(folder, `${name}.${pid}`)
    writeFileSync(draft, text, { mode: FILE_MODE })
    renameSync(draft, join(folder, name))
  }
  return () => {
    for (const name of Object.keys(files)) rmSync(join(folder, name), { force: true })
  }
}
