import type { OtlpResource } from '../otlp/model.ts'
import { idAt, textAt } from './attribute-values.ts'
import { IDENTITY_CHARS_MAX } from './view-draft.ts'

/** What every span of one resource shares. */
export interface ResourceView {
  service: string
  release: string | null
  environment: string | null
  /** Command line agents name their session and user once, on the resource; a span's own go before them. */
  session: string | null
  user: string | null
  agent: string | null
  /** Field → `resource.` and the attribute it was read from. */
  derivedFrom: Record<string, string>
}

const RELEASE_KEYS = [
  'service.version',
  'app.version',
  'deployment.version',
  'deployment.id',
  'vcs.ref.head.revision',
  'vcs.repository.ref.revision',
  'container.image.tag',
] as const
const ENVIRONMENT_KEYS = ['deployment.environment.name', 'deployment.environment', 'service.environment'] as const
/** What a sender that was never named is called; OpenTelemetry's own word. */
const UNNAMED_SERVICE = 'unknown_service'

/** Reads a resource once for all its spans. A moving image tag such as `latest` is no release. */
export function viewResource(resource: OtlpResource): ResourceView {
  const derivedFrom: Record<string, string> = {}
  const first = (field: string, keys: readonly string[]): string | null => {
    for (const key of keys) {
      const text = idAt(resource.attributes, key, IDENTITY_CHARS_MAX)
      if (text === null || text === 'latest') continue
      derivedFrom[field] = `resource.${key}`
      return text
    }
    return null
  }
  const service = textAt(resource.attributes, 'service.name', IDENTITY_CHARS_MAX)
  if (service !== null) derivedFrom.service = 'resource.service.name'
  return {
    service: service ?? UNNAMED_SERVICE,
    release: first('release', RELEASE_KEYS),
    environment: first('environment', ENVIRONMENT_KEYS),
    session: first('session', ['session.id']),
    user: first('user', ['user.id', 'enduser.id']),
    agent: first('agent', ['gen_ai.agent.name']),
    derivedFrom,
  }
}
