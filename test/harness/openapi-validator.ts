import { Ajv2020 } from 'ajv/dist/2020.js'
import { callApi } from './http.ts'

/** What is wrong with an answer, measured by the schema that the server itself publishes; empty when nothing is. */
export type ValidateAnswer = (method: string, path: string, status: number, body: unknown) => string[]

/** Reads `/openapi.json` once; every answer is held to that document, not to the code behind it. */
export async function createOpenApiValidator(analyzerUrl: string): Promise<ValidateAnswer> {
  const document = (await callApi(`${analyzerUrl}/openapi.json`)).json()
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(document, 'openapi')
  return (method, path, status, body) => {
    const mediaType = status >= 400 ? 'application/problem+json' : 'application/json'
    const steps = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', mediaType, 'schema']
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    const validate = ajv.compile({ $ref: `openapi#/${pointer}` })
    validate(body)
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
