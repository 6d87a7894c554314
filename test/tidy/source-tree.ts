import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** One TypeScript file of the project and what it imports. Paths are relative to the project's root. */
export interface SourceFile {
  path: string
  text: string
  lines: number
  isTest: boolean
  /** Files of this project; types included. */
  imports: string[]
  /** Names of packages and of Node's own modules. */
  packages: string[]
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|import\('([^']+)'\)|new URL\('([^']+\.ts)'/g
const WORKSPACE = /^@loopkit\/(\w+)\/(.+)$/

/** Every TypeScript file that git tracks or would track. */
export function readSourceTree(root: string): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed
    .split('\n')
    .filter((path) => path !== '')
    .map((path) => readSource(root, path))
}

function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const specifiers = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '')
  const imports: string[] = []
  const packages: string[] = []
  for (const specifier of specifiers) {
    const workspace = WORKSPACE.exec(specifier)
    if (workspace) imports.push(`${workspace[1]}/src/${workspace[2]}.ts`)
    else if (specifier.startsWith('.')) imports.push(normalize(join(dirname(path), specifier)))
    else packages.push(specifier)
  }
  return { path, text, lines: text.split('\n').length, isTest: isTestPath(path), imports, packages }
}

function isTestPath(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts') || path.endsWith('.fixture.ts')
}
