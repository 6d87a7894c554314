export const EXPORT_FORMATS = ['jsonl', 'promptfoo', 'jest'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export const EXPORT_FILES: Record<ExportFormat, string> = {
  jsonl: 'loopkit-eval.jsonl',
  promptfoo: 'loopkit-eval.promptfoo.json',
  jest: 'loopkit-eval.test.js',
}

/** Promptfoo's own, which answers what it is asked: all that an export needs which only tests the runs that it was frozen with. */
export const ECHO_PROVIDER = 'echo'
