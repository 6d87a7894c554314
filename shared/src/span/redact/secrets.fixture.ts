export const LETTERS = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'

/** What stays to be seen of a secret, and what is overwritten. */
export const SECRETS: [string, string][] = [
  ['sk-', LETTERS],
  ['sk-', `proj-${LETTERS}_-x`],
  ['sk-ant-', `api03-${LETTERS}`],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'github_pat_', 'glpat-', 'npm_', 'xoxb-', 'xoxp-'].map((keep): [string, string] => [
    keep,
    LETTERS,
  ]),
  ['AKIA', 'IOSFODNN7EXAMPLE'],
  ['AIza', `Sy${LETTERS}`],
  ['lk_ingest_', LETTERS],
  ['lk_agent_', LETTERS],
  ['', 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
  ['', 'eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'eyJraWQiOiJhIiwiYWxnIjoiRVMyNTYifQ.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'eyAiYWxnIjogIkhTMjU2IiB9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['', 'ewogICJ0eXAiOiAiSldUIiwKICAiYWxnIjogIkhTMjU2Igp9.eyJzdWIiOiIxMjM0In0.c2ln'],
  ['Bearer ', 'mF_9.B5f-4.1JqM'],
  ['Bearer ', 'gn0Ms2'],
  ['bearer ', LETTERS],
  ['Basic ', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
]

/** Secrets whose neighbourhood is part of their shape. */
export const FRAMED: [string, string, string][] = [
  ['postgres://app:', 'hunter2', '@db.internal/shop'],
  ['see https://user:', 'p@ss:w%2Frd', '@host:8443/x?y=1 now'],
  ['redis://:', 'pässwörd', '@h'],
  ['Authorization: Bearer ', 'short', ', next'],
  ['{"h": "Bearer ', 'quoted', '"}'],
  ['-----BEGIN RSA PRIVATE KEY-----', '\nMIIEow\nIBAAKCAQEA\n', '-----END RSA PRIVATE KEY-----'],
  ['-----BEGIN PRIVATE KEY-----', '\\nMIIEvQ', ''],
]

export const stars = (text: string) => '*'.repeat(Buffer.byteLength(text))
