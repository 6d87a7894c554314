import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce, type Command, readSources, runBuild, sources, type Toolchain } from './toolchain.ts'

export type Protocol = 'http/json' | 'http/protobuf' | 'grpc'
export type Compression = 'none' | 'gzip' | 'deflate'

/** A program that sends a plan through its language's SDK; it is configured as any service would be, by OTEL_ variables. */
export interface SourceProgram {
  name: string
  needs: Toolchain[]
  /** Its SDK is written in JavaScript, with JavaScript's numbers and objects. */
  javaScript: boolean
  /** Its SDK hands a partial success to the error handler, as an error of that batch. */
  partialSuccessIsError: boolean
  /** Its gRPC exporter tries again where nobody answers. */
  retriesGrpc: boolean
  /** Over HTTP. */
  variants: [Protocol, Compression][]
  /** Builds it where it is not built yet; the command to run, to which the plan's path is added. */
  prepare(): Promise<Command>
}

export const sourcePrograms: SourceProgram[] = [
  {
    name: 'JavaScript',
    needs: [],
    javaScript: true,
    partialSuccessIsError: false,
    retriesGrpc: false,
    variants: [
      ['http/json', 'none'],
      ['http/json', 'gzip'],
      ['http/protobuf', 'none'],
      ['http/protobuf', 'gzip'],
    ],
    prepare: async () => ({ command: process.execPath, args: [join(sources, 'javascript', 'main.ts')] }),
  },
  {
    name: 'Python',
    needs: ['python'],
    javaScript: false,
    partialSuccessIsError: false,
    retriesGrpc: true,
    variants: [
      ['http/protobuf', 'none'],
      ['http/protobuf', 'gzip'],
      ['http/protobuf', 'deflate'],
    ],
    prepare: async () => ({ command: await preparePython(), args: [join(sources, 'python', 'send_plan.py')] }),
  },
  {
    name: 'Go',
    needs: ['go'],
    javaScript: false,
    partialSuccessIsError: true,
    retriesGrpc: true,
    variants: [
      ['http/protobuf', 'none'],
      ['http/protobuf', 'gzip'],
    ],
    prepare: prepareGo,
  },
  {
    name: 'Java',
    needs: ['java'],
    javaScript: false,
    partialSuccessIsError: false,
    retriesGrpc: true,
    variants: [
      ['http/protobuf', 'none'],
      ['http/protobuf', 'gzip'],
    ],
    prepare: prepareJava,
  },
]

/** A virtual environment with the pinned packages; its Python. */
export async function preparePython(): Promise<string> {
  const requirements = join(sources, 'python', 'requirements.txt')
  const folder = await buildOnce('python', [readFileSync(requirements, 'utf8')], async (to) => {
    await runBuild({ command: 'python3', args: ['-m', 'venv', to] })
    await runBuild({
      command: join(to, 'bin', 'python'),
      args: ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements],
    })
  })
  return join(folder, 'bin', 'python')
}

async function prepareGo(): Promise<Command> {
  const from = join(sources, 'go')
  const folder = await buildOnce('go', readSources(from), async (to) => {
    await runBuild({ command: 'go', args: ['build', '-o', join(to, 'send-plan'), '.'], cwd: from })
  })
  return { command: join(folder, 'send-plan'), args: [] }
}

async function prepareJava(): Promise<Command> {
  const from = join(sources, 'java')
  const folder = await buildOnce('java', readSources(from), async (to) => {
    cpSync(from, to, { recursive: true })
    await runBuild({ command: 'mvn', args: ['-q', '-B', 'compile', 'dependency:copy-dependencies'], cwd: to })
  })
  const classPath = [join(folder, 'target', 'classes'), join(folder, 'target', 'dependency', '*')].join(':')
  return { command: 'java', args: ['-cp', classPath, 'loopkit.SendPlan'] }
}
