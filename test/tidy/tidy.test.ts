import { describe, expect, test } from '@jest/globals'
import { measureFunctions } from './function-lengths.ts'
import { tidyRules } from './rules.ts'
import { readSourceTree, type SourceFile } from './source-tree.ts'

const FUNCTION_LINES_MAX = 60
const files = readSourceTree(process.cwd())

test('the tidy test sees the project', () => {
  // A gate that sees nothing passes: so these folders must be among what was read.
  for (const folder of [
    'shared/src/otlp/',
    'shared/src/span/',
    'collector/src/',
    'analyzer/src/',
    'cli/src/',
    'config/src/',
    'test/tidy/',
  ]) {
    expect(files.filter(({ path }) => path.startsWith(folder)).length).toBeGreaterThan(0)
  }
})

describe('properties of the code', () => {
  test.each(tidyRules)('$name', ({ check }) => {
    expect(check(files)).toEqual([])
  })

  test('a function of the product has at most 60 lines', () => {
    const long = files.filter(({ isTest }) => !isTest).flatMap(measureFunctions)
    expect(long.length).toBeGreaterThan(100)
    expect(
      long.filter(({ lines }) => lines > FUNCTION_LINES_MAX).map(({ path, line, lines }) => `${path}:${line} ${lines} lines`),
    ).toEqual([])
  })
})

describe('the rules themselves bite', () => {
  const file = (path: string, text: string, imports: string[] = [], packages: string[] = []): SourceFile => ({
    path,
    text,
    lines: text.split('\n').length,
    isTest: false,
    imports,
    packages,
  })
  test.each([
    ['a file has at most 400 lines', [file('cli/src/main.ts', '\n'.repeat(500))]],
    ['no file is a drawer: utils, helpers, common, misc, types', [file('shared/src/utils.ts', '')]],
    ['pure code has no I/O, no clock, no chance', [file('shared/src/otlp/a.ts', 'const now = Date.now()')]],
    ['pure code has no I/O, no clock, no chance', [file('analyzer/src/capabilities/x/x.rules.ts', '', [], ['node:fs'])]],
    ['pure code imports only pure code', [file('shared/src/signals/a.ts', '', ['shared/src/database/open.ts'])]],
    [
      'a capability never imports another',
      [file('analyzer/src/capabilities/a/index.ts', '', ['analyzer/src/capabilities/b/index.ts'])],
    ],
    ['SQLite files are opened in one place', [file('collector/src/a.ts', 'new Database(path)')]],
    [
      'no import goes round in a circle',
      [file('shared/src/a.ts', '', ['shared/src/b.ts']), file('shared/src/b.ts', '', ['shared/src/a.ts'])],
    ],
    ['every file is imported by something or is an entry point', [file('shared/src/dead.ts', '')]],
    [
      'the environment is read and the process ended only in main.ts, the command line and the settings',
      [file('collector/src/a.ts', 'process.exit(1)')],
    ],
  ])('%s', (name, offending) => {
    expect(tidyRules.find((rule) => rule.name === name)?.check(offending)).not.toEqual([])
  })
})
