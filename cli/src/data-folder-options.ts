import { resolve } from 'node:path'
import { readSettings, SettingsError } from '@loopkit/config/read-settings'
import { EXIT } from '@loopkit/shared/runtime/exit-codes'
import type { Command } from 'commander'
import { ExitError } from './exit-error.ts'

export interface DataFolderFlags {
  dataDir?: string
}

/** The option every command shares that works on a data folder. */
export function addDataFolderOption(command: Command): Command {
  return command.option('--data-dir <folder>', 'data folder of the instance (LOOPKIT_DATA_DIR, else ./data)')
}

export function dataFolderOf({ dataDir }: DataFolderFlags): string {
  if (dataDir !== undefined) return resolve(dataDir)
  try {
    // Nothing else of the environment matters here: a name that is no setting must not stop a backup.
    const { LOOPKIT_DATA_DIR, LOOPKIT_SETTINGS_FILE } = process.env
    return resolve(readSettings({ LOOPKIT_DATA_DIR, LOOPKIT_SETTINGS_FILE }).dataDir)
  } catch (error) {
    if (error instanceof SettingsError) throw new ExitError(EXIT.config, error.message)
    throw error
  }
}
