import base from '../../jest.config.mjs'

/** Against real exporters: `npm run interop`. Apart from `npm test`, since the first run builds and downloads them. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/interop'],
  testMatch: ['**/*.interop.ts'],
  testTimeout: 120_000,
  maxWorkers: 1,
}
