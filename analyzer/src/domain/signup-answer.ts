/** Where this instance is reached from outside. */
export interface Addresses {
  /** Base URL of the analyzer, without a trailing slash. */
  analyzerUrl(): string
  /** Base URL that an exporter gets as OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlpUrl(): string
}

/** What is public of a project on every onboarding answer. */
export interface ProjectTerms {
  projectId: string
  quotaSpans: number | null
  expiresAtMs: number | null
}

/** Secrets of a project, in clear for the one answer that shows them. */
export interface ProjectSecrets {
  producer: string
  agent: string
  dashboard: string
  recoveryCode: string
}

/** The fields that a caller with a project's key may see again and again. */
export const projectTermsSchema = {
  project_id: { type: 'string', description: 'Slug of the name, a dash and eight hex digits' },
  quota_spans: { type: ['integer', 'null'], description: 'Most spans that are ever accepted; null: no cap' },
  expires_at: { type: ['string', 'null'], format: 'date-time', description: 'When a sandbox ends; null: never' },
  ingest_url: { type: 'string', description: 'Where spans are posted as OTLP over HTTP' },
  diagnose_url: { type: 'string', description: 'Where a diagnosis is asked for' },
} as const

/** The fields that are shown once. */
export const projectSecretsSchema = {
  producer_key: { type: 'string', description: 'For exporters: may only write telemetry. Shown once' },
  agent_key: { type: 'string', description: 'For agents: reads and diagnoses. Shown once' },
  recovery_code: { type: 'string', description: 'Gives new keys when these are lost. Keep it apart from them' },
  dashboard_url: { type: 'string', description: 'Opens the dashboard read-only; the key is in the fragment' },
} as const

export const signupAnswerSchema = {
  title: 'SignupAnswer',
  type: 'object',
  required: [
    'producer_key',
    'agent_key',
    'project_id',
    'quota_spans',
    'expires_at',
    'ingest_url',
    'diagnose_url',
    'recovery_code',
    'dashboard_url',
  ],
  properties: { ...projectSecretsSchema, ...projectTermsSchema },
} as const

export function termsAnswer({ projectId, quotaSpans, expiresAtMs }: ProjectTerms, addresses: Addresses) {
  return {
    project_id: projectId,
    quota_spans: quotaSpans,
    expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
    ingest_url: `${addresses.otlpUrl()}/v1/traces`,
    diagnose_url: `${addresses.analyzerUrl()}/v1/runs/diagnose`,
  }
}

/** The answer that hands a project over. The dashboard's key rides in the fragment, which no browser sends to a server. */
export function signupAnswer(terms: ProjectTerms, secrets: ProjectSecrets, addresses: Addresses) {
  return {
    producer_key: secrets.producer,
    agent_key: secrets.agent,
    ...termsAnswer(terms, addresses),
    recovery_code: secrets.recoveryCode,
    dashboard_url: `${addresses.analyzerUrl()}/dashboard#key=${secrets.dashboard}`,
  }
}

export type SignupAnswer = ReturnType<typeof signupAnswer>
