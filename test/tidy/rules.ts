import type { SourceFile } from './source-tree.ts'

/** A property of the code that a line of a document could only ask for. `check` answers the offences, each as one line. */
export interface TidyRule {
  name: string
  check(files: readonly SourceFile[]): string[]
}

const FILE_LINES_MAX = 400
/** Folders whose code decides and never acts: no I/O, no clock, no chance. */
const PURE =
  /^(shared\/src\/(otlp|span|segment|signals|rollup|improvement-packet|eval-candidate)\/|analyzer\/src\/domain\/)|\.rules\.ts$/
/** Node's own modules that compute and touch nothing; `node:module` only loads code later than at the start. */
const PURE_MODULES = new Set([
  'node:module',
  'node:crypto',
  'node:zlib',
  'node:buffer',
  'node:util',
  'node:assert',
  'node:assert/strict',
])
const IMPURE_WORDS = /\bDate\.now\(|\bMath\.random\(|\bprocess\.|\bperformance\.now\(|\bawait\b|\bnew Date\(\)/
/** Entry points: started, never imported. */
const ENTRY = /(^|\/)main\.ts$|^test\/(faults|bench|demo|acceptance)\/[^/]+\.ts$|\.interop\.ts$|\.test\.ts$/
const DRAWER_NAMES = /(^|\/)(utils?|helpers?|common|misc|types)(\/|\.ts$)/

export const tidyRules: TidyRule[] = [
  {
    name: 'a file has at most 400 lines',
    check: (files) => files.filter(({ lines }) => lines > FILE_LINES_MAX).map(({ path, lines }) => `${path}: ${lines} lines`),
  },
  {
    name: 'no file is a drawer: utils, helpers, common, misc, types',
    check: (files) => files.filter(({ path }) => DRAWER_NAMES.test(path)).map(({ path }) => path),
  },
  {
    name: 'pure code has no I/O, no clock, no chance',
    check: (files) =>
      files
        .filter(({ path, isTest }) => PURE.test(path) && !isTest)
        .flatMap(({ path, text, packages }) => [
          ...packages
            .filter((name) => name.startsWith('node:') && !PURE_MODULES.has(name))
            .map((name) => `${path} imports ${name}`),
          ...(IMPURE_WORDS.test(withoutComments(text)) ? [`${path} uses ${IMPURE_WORDS.exec(withoutComments(text))?.[0]}`] : []),
        ]),
  },
  { name: 'pure code imports only pure code', check: (files) => forbidden(files, PURE, (target) => !PURE.test(target)) },
  {
    name: 'shared imports no service, config imports nothing of ours, the services do not import each other',
    check: (files) => [
      ...forbidden(files, /^shared\//, (target) => !target.startsWith('shared/')),
      ...forbidden(files, /^config\//, (target) => !target.startsWith('config/')),
      ...forbidden(files, /^collector\//, (target) => /^(analyzer|cli|test)\//.test(target)),
      ...forbidden(files, /^analyzer\//, (target) => /^(collector|cli|test)\//.test(target)),
      ...forbidden(files, /^cli\//, (target) => /^(collector|analyzer|test)\//.test(target)),
    ],
  },
  {
    name: 'a capability never imports another',
    check: (files) =>
      files
        .filter(({ isTest }) => !isTest)
        .flatMap(({ path, imports }) =>
          imports.filter((target) => crossesCapabilities(path, target)).map((target) => `${path} imports ${target}`),
        ),
  },
  {
    name: 'analyzer imports go down: main, capabilities, http and telemetry and control, domain',
    check: (files) => [
      ...forbidden(files, /^analyzer\/src\/(http|telemetry|control|domain|web)\//, (target) =>
        /^analyzer\/src\/(capabilities\/|main\.ts)/.test(target),
      ),
      ...forbidden(files, /^analyzer\/src\/capabilities\//, (target) => target === 'analyzer/src/main.ts'),
    ],
  },
  {
    name: 'the environment is read and the process ended only in main.ts, the command line and the settings',
    check: (files) =>
      files
        .filter(({ path, isTest }) => !isTest && !/main\.ts$|^cli\/|^config\/|^shared\/src\/runtime\//.test(path))
        .filter(({ text }) => /\bprocess\.(env|exit)\b/.test(withoutComments(text)))
        .map(({ path }) => path),
  },
  {
    name: 'SQLite files are opened in one place',
    check: (files) =>
      files
        .filter(({ path, isTest, text }) => !isTest && path !== 'shared/src/database/open.ts' && /\bnew Database\(/.test(text))
        .map(({ path }) => path),
  },
  { name: 'no import goes round in a circle', check: cycles },
  {
    name: 'every file is imported by something or is an entry point',
    check: (files) => {
      const imported = new Set(files.flatMap(({ imports }) => imports))
      return files.filter(({ path }) => !imported.has(path) && !ENTRY.test(path)).map(({ path }) => path)
    },
  },
  {
    name: 'an import leads to a file that exists',
    check: (files) => {
      const paths = new Set(files.map(({ path }) => path))
      return files.flatMap(({ path, imports }) =>
        imports.filter((target) => target.endsWith('.ts') && !paths.has(target)).map((target) => `${path} imports ${target}`),
      )
    },
  },
  {
    name: 'no loose end: any, ts-ignore, a skipped or exclusive test, a note to do it later',
    check: (files) =>
      files
        .filter(({ path }) => !path.startsWith('test/tidy/'))
        .flatMap(({ path, text }) =>
          [
            ...withoutComments(text).matchAll(
              /\bas any\b|: any\b|@ts-(?:ignore|nocheck)|\b(?:it|test|describe)\.(?:only|todo)\(|\b(?:TODO|FIXME|XXX)\b/g,
            ),
          ].map(([word]) => `${path}: ${word}`),
        ),
  },
]

function forbidden(files: readonly SourceFile[], from: RegExp, isForbidden: (target: string) => boolean): string[] {
  return files
    .filter(({ path, isTest }) => !isTest && from.test(path))
    .flatMap(({ path, imports }) => imports.filter(isForbidden).map((target) => `${path} imports ${target}`))
}

function crossesCapabilities(path: string, target: string): boolean {
  const from = /^analyzer\/src\/capabilities\/([^/]+)\//.exec(path)?.[1]
  const to = /^analyzer\/src\/capabilities\/([^/]+)\//.exec(target)?.[1]
  return from !== undefined && to !== undefined && from !== to
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

/** Depth-first search with an explicit stack of the path walked so far; each cycle is named once, by its first file. */
function cycles(files: readonly SourceFile[]): string[] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) return void found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path)) return
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return found
}
