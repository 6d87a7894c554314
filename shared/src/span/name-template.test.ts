import { expect, test } from '@jest/globals'
import { templateName, templatePath } from './name-template.ts'

test.each([
  ['getAdsByCategory', 'getAdsByCategory'],
  ['Step 14', 'Step *'],
  ['order 7d9f3c1e-93b1-4f6e-a2b4-0d9c1b7f1a11 paid', 'order * paid'],
  ['job deadbeef01 run', 'job * run'],
  ['v2.s3.upload', 'v2.s3.upload'],
  ['shard12345', 'shard*'],
  ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '*'],
  ['user 0PUK6V6EV0', 'user *'],
  ['naïve façade 3', 'naïve façade *'],
  ['GET http://shop/cart?user=bob&x=y', 'GET http://shop/cart'],
  ['mail bob.b@example.com', 'mail *'],
  ['', ''],
])('%j is the same work as %j', (name, template) => {
  expect(templateName(name)).toBe(template)
})

test.each([
  ['/users/81', '/users/:id'],
  ['/', '/'],
  ['', '/'],
  ['users', '/users'],
  ['/api/v2/users', '/api/v2/users'],
  ['/api/products/HQTGWGPNH4', '/api/products/:id'],
  ['/search?q=1', '/search'],
  ['/a#b', '/a'],
  ['/u/bob@example.com/inbox', '/u/:id/inbox'],
  ['/n/%E2%82%AC', '/n/:id'],
  ['/verify/eyJhbGciOiJIUzIXNiJ-eyJzdWIiOiJhYmMifQ-abcdefghijkl', '/verify/:id'],
  ['/static/main.8f3a2b1c.js', '/static/:id'],
  ['/1/2/3/4/5/6/7/8/9/10', '/:id/:id/:id/:id/:id/:id/:id/:id/*'],
])('the path %s has the template %s', (path, template) => {
  expect(templatePath(path)).toBe(template)
})

test('a template is bounded and never splits a character', () => {
  expect(templateName('😀'.repeat(5_000)).length).toBeLessThanOrEqual(200)
  expect(templateName('😀'.repeat(5_000)).isWellFormed()).toBe(true)
  expect(templatePath(`/${'x'.repeat(10_000)}`).length).toBeLessThanOrEqual(200)
})
