import { accessSync, constants } from 'node:fs'
import { checkDisk } from '@loopkit/shared/database/guard/disk-kind'
import { takeFolder } from '@loopkit/shared/database/guard/folder-lock'
import { createFolder } from '@loopkit/shared/runtime/data-folder'
import type { Logger } from '@loopkit/shared/runtime/log'

export interface FolderTerms {
  dataDir: string
  allowNetworkDisk: boolean
}

/** Creates the data folder and takes it for this process alone, until the answer is called. */
export function claimFolder({ dataDir, allowNetworkDisk }: FolderTerms, log: Logger): () => void {
  createFolder(dataDir)
  const { kind } = checkDisk(dataDir, allowNetworkDisk)
  if (kind === 'overlay')
    log.warn({ code: 'start.overlay_disk', folder: dataDir }, 'the data lies in the layer of a container and goes with it')
  if (kind === 'network')
    log.warn({ code: 'start.network_disk', folder: dataDir }, 'the data lies on a network disk, where it can be lost or damaged')
  accessSync(dataDir, constants.W_OK | constants.X_OK)
  return takeFolder(dataDir, 'collector')
}
