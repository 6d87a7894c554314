export const EXPORT_FORMATS = ['jsonl', 'promptfoo', 'jest'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export const EXPORT_FILES: Record<ExportFormat, string> = {
  jsonl: 'loopkit-eval.jsonl',
  promptfoo: 'loopkit-eval.promptfoo.json',
  jest: 'loopkit-eval.test.js',
}

/** What promptfoo calls where no provider is named: a module of the project itself, so that nothing passes that was not run. */
export const DEFAULT_PROVIDER = 'file://loopkit-subject.cjs'
