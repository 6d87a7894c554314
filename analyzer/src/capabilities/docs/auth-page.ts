import { KEY_KINDS } from '../../domain/key.ts'
import type { Addresses } from '../../domain/signup-answer.ts'

/** /auth.md: keys, what they open, how to get new ones, and what a refusal means. */
export function authPage(addresses: Addresses): string {
  return `${keys()}\n${RECOVERY}\n${refusals(addresses)}`
}

function keys(): string {
  const rows = Object.entries(KEY_KINDS).map(
    ([kind, { prefix, scopes }]) => `| ${kind} | \`${prefix}\` | \`${scopes.join(' ')}\` |`,
  )
  return `# Keys

A key belongs to one project and sees nothing of any other: another project's ids answer like ids that never were. Send it as
\`Authorization: Bearer <key>\`; \`X-T4-API-KEY: <key>\` is the same. Never in a URL.

| key | starts with | may |
|---|---|---|
${rows.join('\n')}

The server stores a hash. A key is shown once, and stops working on the next request after it was revoked or has expired.

## Get keys

A permanent project, its name given out once:

\`\`\`sh
curl -sS -X POST "$LOOPKIT_URL/v1/provision" -H 'Content-Type: application/json' -d '{"project_name":"my-service","operator":"my-team"}'
\`\`\`

With a key of that project the same call resumes it: no new key, nothing rotated. A sandbox, capped and with an end:

\`\`\`sh
curl -sS -X POST "$LOOPKIT_URL/v1/signup" -H 'Content-Type: application/json' -d '{}'
\`\`\`

\`POST /v1/signup/upgrade\` with the agent key and a \`code\` from whoever runs this instance makes it permanent.
`
}

const RECOVERY = `## Lost or leaked keys

The recovery code of a project gives new keys and ends all old ones, dashboard links too, at once. The code itself stays the same;
if the code leaked, the instance's admin voids it with \`POST /admin/projects/{id}/recovery-epoch\`.

\`\`\`sh
mine=$(curl -sS -X POST "$LOOPKIT_URL/v1/signup" -H 'Content-Type: application/json' -d '{}')
project_id=$(printf %s "$mine" | sed 's/.*"project_id":"\\([^"]*\\)".*/\\1/')
recovery_code=$(printf %s "$mine" | sed 's/.*"recovery_code":"\\([^"]*\\)".*/\\1/')
curl -sS -X POST "$LOOPKIT_URL/v1/recover" -H 'Content-Type: application/json' \\
  -d "{\\"project_id\\":\\"$project_id\\",\\"recovery_code\\":\\"$recovery_code\\"}"
\`\`\`

## The dashboard link

\`dashboard_url\` opens the dashboard read-only. Its key rides behind the \`#\`, which browsers do not send. It ends at recovery.
`

function refusals({ analyzerUrl }: Addresses): string {
  return `## Refusals

| status | code | what it means |
|---|---|---|
| 401 | \`missing_key\`, \`invalid_key\`, \`key_revoked\`, \`key_expired\` | send a key that works |
| 401 | \`project_exists\` | the name is taken: send one of its keys, or recover |
| 401 | \`recovery_refused\` | the code is wrong or there is no such project; which of the two is not said |
| 403 | \`insufficient_scope\` | the key is right and may not do this |
| 403 | \`project_of_another_key\` | the key belongs to another project than the one named |
| 403 | \`sandbox_expired\` | the sandbox has ended; upgrade it |
| 429 | \`rate_limited\` | wait for \`Retry-After\` seconds |

Every refusal is \`application/problem+json\` with a stable \`code\`. All of them: ${analyzerUrl()}/openapi.json.
`
}
