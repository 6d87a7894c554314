/** One runner for the whole workspace: rules beside the code, capabilities through HTTP, processes under test/. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/config', '<rootDir>/shared', '<rootDir>/collector', '<rootDir>/analyzer', '<rootDir>/cli', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
  testTimeout: 20000,
  maxWorkers: 2,
}
