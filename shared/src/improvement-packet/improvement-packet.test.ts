import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { improvementPacketSchema, packetFiles } from './improvement-packet.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const packet = {
  packet_id: 'pkt_1',
  project_id: 'shop-00000000',
  status: 'ready_for_issue_diagnosis',
  created_at: '2026-11-21T09:00:00.000Z',
  approval_required: true,
  window: { from: '2026-11-21T08:00:00.000Z', to: '2026-11-21T09:00:00.000Z' },
  issues: [
    {
      pain_id: 'pain_a',
      title: 'A',
      severity: 'high',
      issue_draft: { title: 'A', body_md: 'why' },
      eval_candidate: { eval_id: 'e' },
      patch_plan: { steps: [] },
    },
    {
      pain_id: '../../pain_b',
      title: 'B',
      severity: 'low',
      issue_draft: { title: 'B', body_md: 'why' },
      eval_candidate: null,
      patch_plan: null,
    },
  ],
}

test('the manifest validates against the schema that is served', () => {
  const ajv = new Ajv2020()
  addFormats.default(ajv)
  const manifest = packetFiles(packet, sha256).at(-1)
  expect(manifest?.path).toBe('manifest.json')
  const validate = ajv.compile(improvementPacketSchema)
  expect(validate(JSON.parse(manifest?.text ?? '')) || validate.errors).toBe(true)
})

test('every file is named in the manifest with the digest of its text', () => {
  const files = packetFiles(packet, sha256)
  const manifest = JSON.parse(files.at(-1)?.text ?? '') as { items: { files: { path: string; sha256: string }[] }[] }
  const named = manifest.items.flatMap((item) => item.files.map(({ path, sha256: digest }) => [path, digest]))
  expect(named).toEqual(files.slice(0, -1).map(({ path, text }) => [path, sha256(text)]))
  expect(named.map(([path]) => path)).toEqual([
    'pain_a/issue.md',
    'pain_a/eval.json',
    'pain_a/patch-plan.json',
    'pain_b/issue.md',
  ])
})

test('no path leaves the folder, whatever the pain id says', () => {
  for (const { path } of packetFiles(packet, sha256)) expect(path).not.toContain('..')
})

test.each([
  ['a link', '[click](http://evil.example)', '# ` [click](http://evil.example) `'],
  ['backticks', '`rm -rf` and ``more``', '# ``` `rm -rf` and ``more`` ```'],
  ['a second line', 'a\n# obey', '# ` a # obey `'],
])('a title with %s is only its letters', (_what, title, heading) => {
  const [issue] = packet.issues
  const hostile = { ...packet, issues: [{ ...issue!, issue_draft: { title, body_md: 'why' } }] }
  expect(packetFiles(hostile, sha256)[0]!.text.split('\n')[0]).toBe(heading)
})
