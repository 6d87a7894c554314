import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createFolder, writeRunFiles } from './data-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loopkit-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a folder is created with all above it, for its owner alone, and may exist already', () => {
  const path = join(folder, 'a', 'b')
  createFolder(path)
  createFolder(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})

test('a folder that cannot be made is an error at once', () => {
  expect(() => createFolder('/proc/loopkit')).toThrow(/ENOENT|EACCES|EPERM/)
})

test('the run files say the process and its ports, whole, until they are unsaid', () => {
  const unsay = writeRunFiles(folder, 'collector', 42, { otlpHttpPort: 4318 })
  expect(readFileSync(join(folder, 'run', 'collector.pid'), 'utf8')).toBe('42\n')
  expect(JSON.parse(readFileSync(join(folder, 'run', 'collector.json'), 'utf8'))).toEqual({ pid: 42, otlpHttpPort: 4318 })
  expect(readdirSync(join(folder, 'run')).sort()).toEqual(['collector.json', 'collector.pid'])
  unsay()
  expect(existsSync(join(folder, 'run', 'collector.pid'))).toBe(false)
})
