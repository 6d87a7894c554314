// Brings everything the product needs beyond Node >= 20 and npm, then hands over to the pinned Node:
//   node cli/bin/bootstrap.mjs <task> [arguments]
// Plain JavaScript on purpose: it runs on the machine's own Node before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.loopkit-installed')
const compiled = join(modules, '.loopkit-compiled')
// Compiled code is kept here between starts, also of the services that tests start; where the folder cannot be written Node does
// without.
const cacheEnv = { NODE_COMPILE_CACHE: join(modules, '.cache', 'loopkit'), ...process.env }
// Files whose change asks for a new installation.
const manifests = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']

const COMMAND_LINE = 'cli/src/main.ts'

const tasks = {
  up: ['--max-semi-space-size=1', COMMAND_LINE, 'up'],
  cli: [COMMAND_LINE],
  demo: ['test/demo/main.ts'],
  bench: ['test/bench/main.ts'],
  'bench:quality': ['test/quality/main.ts'],
  fuzz: ['--disable-warning=ExperimentalWarning', 'test/fuzz/main.ts'],
  jest: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
  interop: [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--config',
    'test/interop/jest.config.mjs',
  ],
  lint: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'],
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
}

/** Runs one task on the pinned Node, installing first when the lockfile is newer than what is installed. */
export function run(task, args) {
  const parts = tasks[task]
  if (!parts) fail(`unknown task ${task}; one of ${Object.keys(tasks).join(', ')}`)
  install()
  if (parts.includes(COMMAND_LINE)) compileOnce()
  // The command line is called from anywhere, and what it is told to read and write lies where it is called.
  const place = task === 'cli' ? process.cwd() : root
  const inPlace = parts.map((part) => (part === COMMAND_LINE ? join(root, part) : part))
  const child = spawn(pinnedNode(), [...inPlace, ...args], { cwd: place, stdio: 'inherit', env: cacheEnv })
  // A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
}

function install() {
  const wanted = createHash('sha256')
    .update(manifests.map((name) => readFileSync(join(root, name), 'utf8')).join('\0'))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('loopkit: installing what the lockfile names (once)')
  const result = spawnSync('npx', ['--yes', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) fail('the installation failed; the lines above say why')
  mkdirSync(modules, { recursive: true })
  writeFileSync(stamp, wanted)
}

// TypeScript is compiled by each process and thread that first meets it, which holds 12 MB for its compiler from then on (the
// five threads of a first start: 60 MB). Done here once for each version of the code, a first start is as quick and as small as
// any other.
function compileOnce() {
  const version = newestSource()
  if (existsSync(compiled) && readFileSync(compiled, 'utf8') === version) return
  spawnSync(pinnedNode(), ['cli/bin/compile-once.mjs', '--help'], { cwd: root, stdio: 'ignore', env: cacheEnv })
  try {
    writeFileSync(compiled, version)
  } catch {
    // An installation that cannot be written starts as well, only slower.
  }
}

function newestSource() {
  const times = ['cli/src', 'collector/src', 'analyzer/src', 'shared/src', 'config/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => statSync(join(root, folder, name)).mtimeMs),
  )
  return `${times.length} ${Math.max(...times)}`
}

function pinnedNode() {
  const packages = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]
  const found = packages.map((name) => join(modules, name, 'bin', 'node')).find((path) => existsSync(path))
  if (found) return found
  // Where no pinned build exists, the machine's own Node serves if it is new enough to run TypeScript as it is.
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  fail(`no pinned Node for ${process.platform}-${process.arch}: install Node 24 or newer`)
}

function fail(message) {
  console.error(`loopkit: ${message}`)
  process.exit(69)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(process.argv[2], process.argv.slice(3))
