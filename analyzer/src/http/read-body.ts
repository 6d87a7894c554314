import express, { type Request, type RequestHandler, type Response } from 'express'
import { doorErrors, fail } from './errors.ts'
import { digestOf, type RequestFacts } from './request-facts.ts'

/** Largest JSON body of the analyzer, in bytes, before and after decompression (design.md §4). */
export const JSON_BODY_MAX_BYTES = 1024 ** 2

export type ReadJson = (request: Request, response: Response, facts: RequestFacts) => Promise<unknown>

/** Reads a JSON body whatever its media type says; none at all reads as `{}`. Refuses with 400, 413 or 415. */
export function createReadJson(maxBytes: number): ReadJson {
  const readBytes: RequestHandler = express.raw({ limit: maxBytes, type: () => true })
  return async (request, response, facts) => {
    await new Promise<void>((resolve, reject) => {
      readBytes(request, response, (error?: unknown) => (error ? reject(error) : resolve()))
    }).catch((error: unknown) => refuse(error, maxBytes))
    const bytes: unknown = request.body
    if (!(bytes instanceof Uint8Array) || bytes.length === 0) return {}
    facts.bodyDigest = digestOf(bytes)
    facts.body = parse(bytes)
    return facts.body
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    return fail(doorErrors.malformedJson, 'the body is not JSON in UTF-8', { cause })
  }
}

function refuse(error: unknown, maxBytes: number): never {
  const type = (error as { type?: unknown }).type
  if (type === 'entity.too.large') fail(doorErrors.bodyTooLarge, `a body here may have ${maxBytes} bytes`)
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    fail(doorErrors.unsupportedEncoding, 'send the body as UTF-8, plain or with gzip', { cause: error })
  }
  return fail(doorErrors.malformedRequest, 'the body could not be read', { cause: error })
}
