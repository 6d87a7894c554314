import type { Command } from 'commander'
import type { ClientOptions } from './client.ts'

export interface ClientFlags {
  url?: string
}

const URL_DEFAULT = 'http://127.0.0.1:3000'

/** The options every command shares that talks to an analyzer. A key is taken from the environment only: arguments are visible to others. */
export function addClientOptions(command: Command): Command {
  return command.option(
    '--url <url>',
    `base URL of the analyzer (LOOPKIT_URL, else ${URL_DEFAULT}); the key comes from LOOPKIT_KEY`,
  )
}

export function clientOptions({ url }: ClientFlags): ClientOptions {
  return { url: (url ?? process.env.LOOPKIT_URL ?? URL_DEFAULT).replace(/\/+$/, ''), key: process.env.LOOPKIT_KEY }
}
