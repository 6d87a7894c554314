/** What browsers are told that send OTLP from a page. */
export const browserSettings = {
  corsOrigins: {
    env: 'LOOPKIT_CORS_ORIGINS',
    type: 'string',
    default: '',
    description: 'Origins that a browser may send OTLP from, separated by commas, * within one for any letters; * alone for all',
  },
  corsHeaders: {
    env: 'LOOPKIT_CORS_HEADERS',
    type: 'string',
    default: '',
    description:
      'Request headers that a browser may send, separated by commas, * within a name for any letters; none named: all of them',
  },
  corsCredentials: {
    env: 'LOOPKIT_CORS_CREDENTIALS',
    type: 'boolean',
    default: false,
    description: 'Let browsers send OTLP with credentials (cookies, client certificates)',
  },
  corsMaxAgeS: {
    env: 'LOOPKIT_CORS_MAX_AGE_S',
    type: 'integer',
    default: 600,
    minimum: 0,
    maximum: 86400,
    description: 'Seconds for which a browser remembers what it may send',
  },
} as const

/** TLS of the OTLP ports. */
export const tlsSettings = {
  otlpTlsCertFile: {
    env: 'LOOPKIT_OTLP_TLS_CERT_FILE',
    type: 'string',
    default: null,
    description: 'PEM file with the certificate of the OTLP ports, intermediate ones behind it; turns TLS on for both',
  },
  otlpTlsKeyFile: {
    env: 'LOOPKIT_OTLP_TLS_KEY_FILE',
    type: 'string',
    default: null,
    description: 'PEM file with the private key of that certificate',
  },
  otlpTlsClientCaFile: {
    env: 'LOOPKIT_OTLP_TLS_CLIENT_CA_FILE',
    type: 'string',
    default: null,
    description: 'PEM file with the authorities whose client certificates are accepted; without one no certificate is asked for',
  },
  otlpTlsMinVersion: {
    env: 'LOOPKIT_OTLP_TLS_MIN_VERSION',
    type: 'string',
    default: '1.2',
    enum: ['1.2', '1.3'],
    description: 'Oldest version of TLS that is spoken on the OTLP ports',
  },
  otlpTlsReloadMs: {
    env: 'LOOPKIT_OTLP_TLS_RELOAD_MS',
    type: 'integer',
    default: 10000,
    minimum: 50,
    maximum: 86400000,
    description: 'Time between two looks whether the TLS files have changed; new ones serve the next connection',
  },
} as const
