import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { settingsSchema } from '@loopkit/config/settings-schema'
import { projectRoot } from '../harness/service-process.ts'
import { metricsMarkdown } from '../tidy/metrics-markdown.ts'

const folder = join(projectRoot, 'config/deploy')
const files = readdirSync(folder)
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8')

test.each(files)('%s names only settings that exist', (name) => {
  const known = new Set<string>(Object.values(settingsSchema).map(({ env }) => env))
  const named = textOf(name).match(/\bLOOPKIT_[A-Z_]+\b/g) ?? []
  expect(named.filter((setting) => !known.has(setting))).toEqual([])
})

test('alerts ask for metrics that are there', async () => {
  const documented = await metricsMarkdown()
  const asked = textOf('alerts.yaml').match(/\b(?:otelcol|loopkit|nodejs|process)_[a-z0-9_]+/g) ?? []
  expect(asked.length).toBeGreaterThan(10)
  const missing = asked.filter((name) => !documented.includes(`\`${name.replace(/_(bucket|sum|count)$/, '')}\``))
  expect(missing).toEqual([])
})

/** What a machine can say of a file, where it has the tool. */
function check(tool: string, args: string[]): { status: number | null; output: string } | null {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', cwd: folder })
  return error ? null : { status, output: stdout + stderr }
}

test('systemd takes the unit for either service', () => {
  const copy = mkdtempSync(join(tmpdir(), 'loopkit-unit-'))
  try {
    // The unit's paths are those of an installation; here the repository stands for it.
    const unit = textOf('loopkit@.service').replaceAll('/opt/loopkit', projectRoot.replace(/\/$/, ''))
    writeFileSync(join(copy, 'loopkit@.service'), unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
    for (const service of ['collector', 'analyzer']) {
      const verdict = check('systemd-analyze', ['verify', join(copy, `loopkit@${service}.service`)])
      if (verdict === null) return console.warn('not checked: systemd-analyze is not installed')
      expect(verdict).toEqual({ status: 0, output: '' })
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
})

test('Prometheus takes the scrape configuration and the alerts', () => {
  const verdict = check('promtool', ['check', 'config', 'prometheus.yaml'])
  if (verdict === null) return console.warn('not checked: promtool is not installed')
  expect(verdict).toMatchObject({ status: 0 })
})

test('the manifests are YAML', () => {
  const manifests = files.filter((name) => name.endsWith('.yaml'))
  const program = 'import sys, yaml\nfor name in sys.argv[1:]:\n  list(yaml.safe_load_all(open(name)))'
  const verdict = check('python3', ['-c', program, ...manifests])
  if (verdict === null || verdict.output.includes('ModuleNotFoundError'))
    return console.warn('not checked: Python has no yaml here')
  expect(verdict).toEqual({ status: 0, output: '' })
})
