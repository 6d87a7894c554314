import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { default as addFormats } from 'ajv-formats'
import type { Contract, Schema } from './contract.ts'
import { doorErrors, type FieldError, fail } from './errors.ts'

/** Errors that one answer lists; a body can be wrong in thousands of places. */
const ERRORS_LISTED_MAX = 20

export interface Validators {
  params(raw: unknown): unknown
  query(raw: unknown): unknown
  body(raw: unknown): unknown
  /** What is wrong with an answer, or null. For tests: production does not pay for it. */
  response(answer: unknown): string | null
}

/** Compiles the schemas of a contract. Bodies are taken as they are; parameters are text and become what the schema says. */
export type CompileValidators = (contract: Contract) => Validators

export function createCompiler(): CompileValidators {
  const strict = { strict: true, strictRequired: false, allErrors: true, verbose: true, allowUnionTypes: true } as const
  const bodies = new Ajv2020({ ...strict, useDefaults: true })
  const parameters = new Ajv2020({ ...strict, useDefaults: true, coerceTypes: true })
  const responses = new Ajv2020(strict)
  for (const ajv of [bodies, parameters, responses]) addFormats.default(ajv)
  return (contract) => {
    const params = compile(parameters, contract.params)
    const query = compile(parameters, contract.query)
    const body = compile(bodies, contract.body)
    let response: ValidateFunction | null = null
    return {
      params: (raw) => check(params, raw, 'invalidParameter'),
      query: (raw) => check(query, raw, 'invalidParameter'),
      body: (raw) => check(body, raw, 'invalidBody'),
      response: (answer) => {
        response ??= responses.compile(contract.response as object)
        if (response(answer)) return null
        return responses.errorsText(response.errors, { dataVar: contract.operation })
      },
    }
  }
}

function compile(ajv: Ajv2020, schema: Schema | undefined): ValidateFunction | null {
  return schema === undefined ? null : ajv.compile(schema as object)
}

function check(validate: ValidateFunction | null, raw: unknown, kind: 'invalidParameter' | 'invalidBody'): unknown {
  if (!validate) return undefined
  if (validate(raw)) return raw
  const errors = (validate.errors ?? []).slice(0, ERRORS_LISTED_MAX).map(toFieldError)
  const detail = errors.map((error) => `${error.pointer.slice(1) || 'the body'} ${error.detail}`).join('; ')
  return fail(doorErrors[kind], detail, { errors })
}

/** A JSON pointer to the field that is wrong, missing ones included, and what it must be, with both bounds where it has two. */
function toFieldError({ instancePath, keyword, params, message, parentSchema }: ErrorObject): FieldError {
  if (keyword === 'required')
    return { pointer: `${instancePath}/${escapePointer(params.missingProperty)}`, detail: 'is required' }
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const name = params.additionalProperty ?? params.unevaluatedProperty
    return { pointer: `${instancePath}/${escapePointer(name)}`, detail: 'is not a field of this request' }
  }
  if (keyword === 'enum') return { pointer: instancePath, detail: `must be one of ${params.allowedValues.join(', ')}` }
  if (keyword === 'pattern') return { pointer: instancePath, detail: `must be ${parentSchema?.description ?? 'of another form'}` }
  const bounds = boundsOf(parentSchema)
  if (bounds && ['minimum', 'maximum', 'type'].includes(keyword)) return { pointer: instancePath, detail: bounds }
  return { pointer: instancePath, detail: message ?? 'is not valid' }
}

function boundsOf(schema: ErrorObject['parentSchema']): string | null {
  if (schema?.minimum === undefined || schema.maximum === undefined) return null
  return `must be ${schema.type === 'integer' ? 'an integer' : 'a number'} from ${schema.minimum} to ${schema.maximum}`
}

function escapePointer(name: unknown): string {
  return String(name).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
