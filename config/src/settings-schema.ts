import { browserSettings, tlsSettings } from './receiver-settings.ts'
import { signalSettings } from './signal-settings.ts'

/**
 * Every setting of the product, once: environment name, field, type, default, bounds, meaning.
 * The environment and the settings file use the same names. `loopkit --help`, docs/generated/settings.md and validation come from here.
 */
export interface SettingSpec {
  env: string
  type: 'string' | 'integer' | 'boolean' | 'number'
  default: string | number | boolean | null
  minimum?: number
  maximum?: number
  enum?: readonly string[]
  /** Never printed or logged. */
  secret?: boolean
  description: string
}

const DAY_MINUTES = 1440

export const settingsSchema = {
  dataDir: {
    env: 'LOOPKIT_DATA_DIR',
    type: 'string',
    default: './data',
    description: 'Folder of the databases, secrets and process ids',
  },
  allowNetworkDisk: {
    env: 'LOOPKIT_ALLOW_NETWORK_DISK',
    type: 'boolean',
    default: false,
    description: 'Run on a data folder that lies on NFS, 9p, SMB, FUSE or their like, where SQLite can lose data',
  },
  host: { env: 'LOOPKIT_HOST', type: 'string', default: '127.0.0.1', description: 'Address both processes listen on' },
  analyzerPort: {
    env: 'LOOPKIT_ANALYZER_PORT',
    type: 'integer',
    default: 3000,
    minimum: 0,
    maximum: 65535,
    description: 'Port of the analyzer; 0 takes a free one',
  },
  otlpHttpPort: {
    env: 'LOOPKIT_OTLP_HTTP_PORT',
    type: 'integer',
    default: 4318,
    minimum: 0,
    maximum: 65535,
    description: 'Port of OTLP/HTTP; 0 takes a free one',
  },
  otlpGrpcPort: {
    env: 'LOOPKIT_OTLP_GRPC_PORT',
    type: 'integer',
    default: 4317,
    minimum: 0,
    maximum: 65535,
    description: 'Port of OTLP/gRPC; 0 takes a free one',
  },
  publicUrl: {
    env: 'LOOPKIT_PUBLIC_URL',
    type: 'string',
    default: null,
    description: 'What diagnose_url and dashboard_url say; default from host and port',
  },
  publicOtlpUrl: {
    env: 'LOOPKIT_PUBLIC_OTLP_URL',
    type: 'string',
    default: null,
    description: 'What ingest_url says; default from host and port',
  },
  selfServe: {
    env: 'LOOPKIT_SELF_SERVE',
    type: 'string',
    default: 'open',
    enum: ['open', 'loopback', 'off'],
    description: 'Who may provision or sign up without a key',
  },
  selfServeProjectsMax: {
    env: 'LOOPKIT_SELF_SERVE_PROJECTS_MAX',
    type: 'integer',
    default: 10000,
    minimum: 1,
    maximum: 10000000,
    description: 'Most projects that may exist before provisioning without a key is refused',
  },
  keylessProject: {
    env: 'LOOPKIT_KEYLESS_PROJECT',
    type: 'string',
    default: null,
    description: 'Name of a project: requests from loopback without an Authorization header go to it',
  },
  retentionDays: {
    env: 'LOOPKIT_RETENTION_DAYS',
    type: 'integer',
    default: 14,
    minimum: 1,
    maximum: 3650,
    description: 'Days that records are kept',
  },
  retentionMaxBytes: {
    env: 'LOOPKIT_RETENTION_MAX_BYTES',
    type: 'integer',
    default: 10 * 1024 ** 3,
    minimum: 1024 ** 2,
    maximum: 2 ** 50,
    description: 'Bytes of records that are kept',
  },
  retentionEveryMs: {
    env: 'LOOPKIT_RETENTION_EVERY_MS',
    type: 'integer',
    default: 60000,
    minimum: 50,
    maximum: 86400000,
    description: 'Time between two looks for records that are no longer kept',
  },
  verifyEveryMs: {
    env: 'LOOPKIT_VERIFY_EVERY_MS',
    type: 'integer',
    default: 60000,
    minimum: 50,
    maximum: 86400000,
    description: 'Time between two looks for changes whose traffic may have settled a verdict',
  },
  ballastMaxBytes: {
    env: 'LOOPKIT_BALLAST_MAX_BYTES',
    type: 'integer',
    default: 64 * 1024 ** 2,
    minimum: 0,
    maximum: 2 ** 40,
    description: 'Bytes held back on the disk so that a full one can be cleared; at most a sixteenth of the disk; 0 holds none',
  },
  signupUpgradeSecret: {
    env: 'SIGNUP_UPGRADE_SECRET',
    type: 'string',
    default: null,
    secret: true,
    description: 'HMAC key of upgrade codes; without it upgrading answers 503',
  },
  recoverySecret: {
    env: 'LOOPKIT_RECOVERY_SECRET',
    type: 'string',
    default: null,
    secret: true,
    description: 'HMAC key of recovery codes; default: a generated file in the data folder',
  },
  adminToken: {
    env: 'T4_ADMIN_TOKEN',
    type: 'string',
    default: null,
    secret: true,
    description: 'Bearer token of the admin routes; without it they answer 503',
  },
  sandboxQuotaSpans: {
    env: 'LOOPKIT_SANDBOX_QUOTA_SPANS',
    type: 'integer',
    default: 100000,
    minimum: 1,
    maximum: 2 ** 40,
    description: 'Span cap of a sandbox project',
  },
  sandboxDays: {
    env: 'LOOPKIT_SANDBOX_DAYS',
    type: 'integer',
    default: 14,
    minimum: 1,
    maximum: 365,
    description: 'Days until a sandbox project expires',
  },
  onboardingPerMinute: {
    env: 'LOOPKIT_ONBOARDING_PER_MINUTE',
    type: 'integer',
    default: 120,
    minimum: 1,
    maximum: 100000,
    description: 'Provision, signup and recover requests per client address and minute',
  },
  bodyMaxBytes: {
    env: 'LOOPKIT_BODY_MAX_BYTES',
    type: 'integer',
    default: 64 * 1024 ** 2,
    minimum: 1024,
    maximum: 2 ** 30,
    description: 'Largest OTLP body, before and after decompression',
  },
  inFlightMaxBytes: {
    env: 'LOOPKIT_IN_FLIGHT_MAX_BYTES',
    type: 'integer',
    default: 32 * 1024 ** 2,
    minimum: 1024 ** 2,
    maximum: 2 ** 32,
    description: 'Bytes of OTLP bodies under way at once before 503',
  },
  memorySoftLimitBytes: {
    env: 'LOOPKIT_MEMORY_SOFT_LIMIT_BYTES',
    type: 'integer',
    default: 384 * 1024 ** 2,
    minimum: 128 * 1024 ** 2,
    maximum: 2 ** 40,
    description: "Memory of the collector's process beyond which large and many bodies are asked to come again (503)",
  },
  queueMaxSpans: {
    env: 'LOOPKIT_QUEUE_MAX_SPANS',
    type: 'integer',
    default: 200000,
    minimum: 1,
    maximum: 10000000,
    description: 'Spans waiting for a commit before 503',
  },
  anyValueDepthMax: {
    env: 'LOOPKIT_ANY_VALUE_DEPTH_MAX',
    type: 'integer',
    default: 64,
    minimum: 1,
    maximum: 256,
    description: 'Nesting of an attribute value beyond which its span is rejected',
  },
  jsonDepthMax: {
    env: 'LOOPKIT_JSON_DEPTH_MAX',
    type: 'integer',
    default: 300,
    minimum: 16,
    maximum: 2000,
    description: 'Nesting of a JSON body beyond which it is refused',
  },
  jsonValuesMax: {
    env: 'LOOPKIT_JSON_VALUES_MAX',
    type: 'integer',
    default: 4000000,
    minimum: 1000,
    maximum: 100000000,
    description: 'Values in a JSON body beyond which it is refused',
  },
  attributesShownMax: {
    env: 'LOOPKIT_ATTRIBUTES_SHOWN_MAX',
    type: 'integer',
    default: 256,
    minimum: 1,
    maximum: 100000,
    description: 'Attributes shown per record; all are stored',
  },
  attributeShownMaxBytes: {
    env: 'LOOPKIT_ATTRIBUTE_SHOWN_MAX_BYTES',
    type: 'integer',
    default: 32 * 1024,
    minimum: 64,
    maximum: 64 * 1024 ** 2,
    description: 'Bytes shown per attribute value; all are stored',
  },
  redact: { env: 'LOOPKIT_REDACT', type: 'boolean', default: true, description: 'Overwrite secrets before anything is stored' },
  quietMs: {
    env: 'LOOPKIT_QUIET_MS',
    type: 'integer',
    default: 30000,
    minimum: 0,
    maximum: 3600000,
    description: 'How long a trace must be quiet before it is decided',
  },
  decideAfterMs: {
    env: 'LOOPKIT_DECIDE_AFTER_MS',
    type: 'integer',
    default: 600000,
    minimum: 0,
    maximum: 86400000,
    description: 'Age at which a trace is decided even if it is not quiet; also when an unended span counts as incomplete',
  },
  repeatedRecordsMin: {
    env: 'LOOPKIT_REPEATED_RECORDS_MIN',
    type: 'integer',
    default: 3,
    minimum: 1,
    maximum: 1000000,
    description: 'Records that make a pain repeated',
  },
  repeatedSessionsMin: {
    env: 'LOOPKIT_REPEATED_SESSIONS_MIN',
    type: 'integer',
    default: 2,
    minimum: 1,
    maximum: 1000000,
    description: 'Sessions that make a pain repeated',
  },
  sinceMinutesDefault: {
    env: 'LOOPKIT_SINCE_MINUTES_DEFAULT',
    type: 'integer',
    default: DAY_MINUTES,
    minimum: 1,
    maximum: 43200,
    description: 'Window of a diagnosis that names none',
  },
  verdictDelta: {
    env: 'LOOPKIT_VERDICT_DELTA',
    type: 'number',
    default: 0.2,
    minimum: 0.01,
    maximum: 0.9,
    description: 'Half width of the interval around 1 that counts as unchanged',
  },
  ...signalSettings,
  modelsFile: {
    env: 'LOOPKIT_MODELS_FILE',
    type: 'string',
    default: null,
    description: 'JSON file with models and their prices, in the form of config/models.json, that go before those of the product',
  },
  otlpPathPrefix: {
    env: 'LOOPKIT_OTLP_PATH_PREFIX',
    type: 'string',
    default: '',
    description: 'Path in front of /v1/traces on the collector',
  },
  ...browserSettings,
  ...tlsSettings,
  logLevel: {
    env: 'LOOPKIT_LOG_LEVEL',
    type: 'string',
    default: 'info',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    description: 'Least level that is logged',
  },
  summaryMs: {
    env: 'LOOPKIT_SUMMARY_MS',
    type: 'integer',
    default: 60000,
    minimum: 100,
    maximum: 86400000,
    description: 'Time between two ingest.summary lines',
  },
  selfTelemetry: {
    env: 'LOOPKIT_SELF_TELEMETRY',
    type: 'boolean',
    default: true,
    description: "Send the product's own spans to the instance's own project",
  },
  settingsFile: {
    env: 'LOOPKIT_SETTINGS_FILE',
    type: 'string',
    default: null,
    description: 'JSON file with the same names as the environment, which wins',
  },
} as const satisfies Record<string, SettingSpec>

type Value<S extends SettingSpec> =
  | (S extends { enum: readonly (infer E)[] }
      ? E
      : S['type'] extends 'string'
        ? string
        : S['type'] extends 'boolean'
          ? boolean
          : number)
  | (null extends S['default'] ? null : never)

/** All settings, validated and frozen. */
export type Settings = { readonly [K in keyof typeof settingsSchema]: Value<(typeof settingsSchema)[K]> }
