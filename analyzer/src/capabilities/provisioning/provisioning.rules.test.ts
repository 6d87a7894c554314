import { expect, test } from '@jest/globals'
import { decideProvision, normalizeName, type ProvisionSituation, type ProvisionVerdict } from './provisioning.rules.ts'

const own = { projectNo: 1, projectName: 'shop', sandbox: false, mayWrite: true }
const sandbox = { ...own, sandbox: true }
const situation: ProvisionSituation = {
  caller: null,
  projectName: 'shop',
  existing: null,
  selfServe: 'open',
  loopback: true,
  projects: 1,
  projectsMax: 10,
}
const refuse = (because: string) => ({ kind: 'refuse', because }) as ProvisionVerdict

test.each<[string, Partial<ProvisionSituation>, ProvisionVerdict]>([
  ['a new name', {}, { kind: 'mint' }],
  ['a taken name', { existing: { projectNo: 1 } }, refuse('exists')],
  ['a new name while self-serve is off', { selfServe: 'off' }, refuse('self_serve_off')],
  ['a taken name while self-serve is off', { selfServe: 'off', existing: { projectNo: 1 } }, refuse('self_serve_off')],
  ['a new name from this machine', { selfServe: 'loopback' }, { kind: 'mint' }],
  ['a new name from another machine', { selfServe: 'loopback', loopback: false }, refuse('self_serve_off')],
  ['a new name when the instance is full', { projects: 10 }, refuse('full')],
  ["the project's own key", { caller: own, existing: { projectNo: 1 } }, { kind: 'resume', projectNo: 1, graduate: false }],
  [
    "the project's own key while self-serve is off and the instance is full",
    { caller: own, existing: { projectNo: 1 }, selfServe: 'off', projects: 10 },
    { kind: 'resume', projectNo: 1, graduate: false },
  ],
  ["another project's key", { caller: { ...own, projectNo: 2 }, existing: { projectNo: 1 } }, refuse('foreign')],
  ["another project's key and a new name", { caller: { ...own, projectName: 'x' } }, refuse('foreign')],
  ["a sandbox's own key", { caller: sandbox }, { kind: 'resume', projectNo: 1, graduate: true }],
  ["a sandbox's key, the name taken by another", { caller: sandbox, existing: { projectNo: 2 } }, refuse('foreign')],
  ['a link of the project', { caller: { ...own, mayWrite: false }, existing: { projectNo: 1 } }, refuse('read_only')],
])('%s', (_, given, verdict) => {
  expect(decideProvision({ ...situation, ...given })).toEqual(verdict)
})

test.each([
  ['  my   app ', 'my app'],
  ['Cafe\u0301', 'Caf\u00e9'],
])('%j and %j are one name', (given, name) => {
  expect(normalizeName(given)).toBe(name)
})
