/**
 * What Node and glibc read only when a process begins. glibc keeps an arena per thread and, once large blocks were freed, stops
 * giving them back: two arenas, and everything from 32 kB on as memory of its own.
 */
export const TUNED_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '32768', MALLOC_TRIM_THRESHOLD_: '1000000' }
/**
 * V8's young generation is of 16 MB per thread, where two serve: with one, what dies young is promoted, and heaps are marked
 * several times a second. Helpers that mark and sweep beside the threads took a tenth of all processor time under load
 * (7.1 → 6.2 s per million spans on two processors), and shorten no pause worth it. `--optimize-for-size` would save some
 * 20 MB and costs an eighth: each thread then stops for 10–16 ms once a second (ack p99 17 instead of 13 ms, 18.9 instead
 * of 16.4 s per million spans at 20,000 spans/s). Marking begins where a tenth of what a heap may grow by is left, instead of
 * whenever it is idle: another eighth.
 */
export const TUNED_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--incremental-marking-soft-trigger=10',
  '--gc-memory-reducer-start-delay-ms=1000',
]

export interface TunedProcess {
  execPath: string
  args: string[]
  env: Record<string, string>
}

type Environment = Record<string, string | undefined>

/**
 * How this process is to begin anew, or null where it need not: it was started so, or somebody has chosen otherwise. Only
 * Linux has this allocator.
 */
export function tunedProcess(
  { platform, execPath, execArgv, argv }: Pick<NodeJS.Process, 'platform' | 'execPath' | 'execArgv' | 'argv'>,
  env: Environment,
): TunedProcess | null {
  if (platform !== 'linux' || Object.keys(TUNED_ENVIRONMENT).some((name) => env[name] !== undefined)) return null
  const missing = TUNED_FLAGS.filter((flag) => !execArgv.some((given) => given.split('=')[0] === flag.split('=')[0]))
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    execPath,
    args: [execPath, ...execArgv, ...missing, ...argv.slice(1)],
    env: { ...Object.fromEntries(given), ...TUNED_ENVIRONMENT },
  }
}
