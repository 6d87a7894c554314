import { readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts'

export interface TlsReloadDeps {
  files: TlsFiles
  /** What is served now. */
  current: TlsMaterial
  everyMs: number
  /** New material serves the next connection; those that are open stay as they are. */
  onChanged(material: TlsMaterial): void
  /** The files have changed and cannot be used: what was served before goes on. Told once for each reason. */
  onUnusable(reason: string): void
}

/**
 * Looks at the files again and again: they are replaced through links and renames, which a watch on a file does not
 * follow. Certificate and key are written one after the other, so what does not fit together is looked at again.
 */
export function startTlsReload({ files, current, everyMs, onChanged, onUnusable }: TlsReloadDeps): () => void {
  let served = fingerprintOf(current)
  let complaint = ''
  const look = () => {
    try {
      const material = readTlsFiles(files)
      complaint = ''
      const read = fingerprintOf(material)
      if (read === served) return
      onChanged(material)
      served = read
    } catch (error) {
      const reason = (error as Error).message
      if (reason !== complaint) onUnusable(reason)
      complaint = reason
    }
  }
  const timer = setInterval(look, everyMs).unref()
  return () => clearInterval(timer)
}

function fingerprintOf({ cert, key, ca = '' }: TlsMaterial): string {
  return [cert, key, ca].join('\0')
}
