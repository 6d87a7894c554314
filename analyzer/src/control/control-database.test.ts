import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openControl } from './control-database.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'loopkit-control-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

/** The number that the next project gets. */
function addProject(lostChanges: number): number {
  const { sqlite, close } = openControl(join(dataDir, 'control.db'), lostChanges)
  try {
    const { lastInsertRowid } = sqlite
      .prepare(`insert into project (project_id, tenant_id, project_name, operator, sandbox, created_at_ms)
        values (hex(randomblob(8)), 't', hex(randomblob(8)), '', 0, 0)`)
      .run()
    return Number(lastInsertRowid)
  } finally {
    close()
  }
}

test('after a loss no project gets the number of one that may be gone, and with it its records', () => {
  expect(addProject(4)).toBe(5)
  expect(addProject(0)).toBe(6)
  expect(addProject(3)).toBe(10)
})
