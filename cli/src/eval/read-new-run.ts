import { readFileSync } from 'node:fs'
import type { ObservedRun } from '@loopkit/shared/eval-candidate/model'
import { readRun } from '@loopkit/shared/eval-candidate/read-run'
import { recordsOfRequest } from '@loopkit/shared/eval-candidate/records-of-spans'
import { runOfRecords } from '@loopkit/shared/eval-candidate/run-of-records'
import { ExitError } from '../exit-error.ts'
import { EVAL_EXIT } from './eval-exit.ts'

const STDIN = 0

/** What a file says, `-` being the standard input. */
export function readInput(path: string): string {
  try {
    return readFileSync(path === '-' ? STDIN : path, 'utf8')
  } catch (error) {
    throw new ExitError(EVAL_EXIT.noInput, (error as Error).message)
  }
}

/** A run from OTLP in JSON (one request, or one a line as the Collector's file exporter writes them), else from what it wrote itself. */
export function readNewRun(path: string): ObservedRun {
  const text = readInput(path)
  if (!/"resource_?spans"/i.test(text)) return readRun(text)
  try {
    return runOfRecords(recordsOfRequest(Buffer.from(oneRequest(text))))
  } catch (error) {
    throw new ExitError(EVAL_EXIT.noInput, `${path} is no OTLP in JSON: ${(error as Error).message}`)
  }
}

/** Lines are put together, since the spans of one trace may stand in several. */
function oneRequest(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length < 2 || !lines.every((line) => line.startsWith('{') && line.trimEnd().endsWith('}'))) return text
  const requests = lines.map((line) => JSON.parse(line) as Record<string, unknown[]>)
  return JSON.stringify({ resourceSpans: requests.flatMap((one) => one.resourceSpans ?? one.resource_spans ?? []) })
}
