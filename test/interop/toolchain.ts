import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from '@jest/globals'

export const sources = fileURLToPath(new URL('./', import.meta.url))

const BUILD_MS = 10 * 60_000
const OUTPUT_MAX_CHARACTERS = 64 * 1024
const READY_MARK = '.loopkit-ready'

/** What a source program is built with; the commands that must answer for it to be there. */
const CHECKS = {
  go: [['go', 'version']],
  python: [['python3', '-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)']],
  java: [
    ['javac', '-version'],
    ['mvn', '--version'],
  ],
} as const

export type Toolchain = keyof typeof CHECKS

/** A `describe` that is skipped, and says so, where one of the toolchains is missing. */
export function describeWith(needed: readonly Toolchain[], name: string, tests: () => void): void {
  const missing = needed.filter((toolchain) => !isThere(toolchain))
  if (missing.length === 0) {
    describe(name, tests)
    return
  }
  // The runner keeps console lines of skipped suites to itself.
  process.stderr.write(`skipped "${name}": this machine has no ${missing.join(', no ')}\n`)
  describe.skip(name, tests)
}

function isThere(toolchain: Toolchain): boolean {
  return CHECKS[toolchain].every(([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0)
}

/**
 * A folder of the user's cache that `build` has filled, once for the given sources: `LOOPKIT_INTEROP_CACHE`, else
 * `~/.cache/loopkit-interop`. A build that failed leaves nothing that counts as built.
 */
export async function buildOnce(name: string, inputs: string[], build: (folder: string) => Promise<void>): Promise<string> {
  const cache = process.env.LOOPKIT_INTEROP_CACHE ?? join(homedir(), '.cache', 'loopkit-interop')
  const digest = createHash('sha256')
  for (const input of inputs) digest.update(input).update('\0')
  const folder = join(cache, `${name}-${digest.digest('hex').slice(0, 12)}`)
  if (existsSync(join(folder, READY_MARK))) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await build(folder)
  writeFileSync(join(folder, READY_MARK), '')
  return folder
}

/** The texts of a folder's files, for `buildOnce`. */
export function readSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => readFileSync(path, 'utf8'))
}

export interface Command {
  command: string
  args: string[]
  cwd?: string
  env?: Record<string, string>
}

/** Runs to the end; what it printed. Rejects with its output where it fails or outlives `limitMs`. */
export function run({ command, args, cwd, env }: Command, limitMs = BUILD_MS): Promise<string> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let complained = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complained = (complained + chunk.toString()).slice(-OUTPUT_MAX_CHARACTERS)
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      if (code === 0) resolve(printed)
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${printed.slice(-4000)}\n${complained}`))
    })
  })
}

/** A build takes the processors that the product and its tests leave. */
export const runBuild = ({ command, args, ...rest }: Command): Promise<string> =>
  run({ command: 'nice', args: [command, ...args], ...rest })
