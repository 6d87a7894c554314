import { DIALECTS, type Dialect, type Run, type Turn } from '@loopkit/shared/signals/dialects.fixture'
import { MORE_DIALECTS } from '@loopkit/shared/signals/dialects-more.fixture'
import { intBetween, pick, type Random } from '../demo/random.ts'
import type { HealthyShape, HealthySpan } from './healthy-services.ts'

type Step = { turn: Turn } | { run: Run }

const says = (text: string, end?: Turn['end']): Step => ({ turn: { text, ...(end && { end }) } })
const runs = (name: string, args: Record<string, unknown>, result: string): Step[] => {
  const run = { id: `call_${name}_${JSON.stringify(args)}_${result.length}`, name, args }
  return [{ turn: { calls: [run] } }, { run: { ...run, result } }]
}

const LOG_LINES = [
  '2026-03-01T10:22:01Z ERROR checkout: payment timed out after 30s',
  '2026-03-01T10:22:04Z ERROR gateway: HTTP 403 Forbidden for /admin',
  '2026-03-01T10:22:09Z WARN auth: 401 unauthorized, token expired',
]
const TICKETS = [
  { id: 7, title: 'Error: cannot log in', state: 'open', last: '401 Unauthorized after update' },
  { id: 8, title: 'Upload failed', state: 'closed', last: 'request timed out' },
]
const SOURCE = [
  'def load(path):',
  '    """Raises ValueError: when the file is empty."""',
  '    if not path.exists():',
  '        raise FileNotFoundError(f"Error: {path} is missing")',
  '    try:',
  '        return parse(path)',
  '    except TimeoutError as error:  # timed out after a minute',
  '        log.error("Traceback (most recent call last)")',
].join('\n')

/** What agents do on a good day. Told by every dialect. */
const SCENES: { name: string; steps: (random: Random) => Step[] }[] = [
  { name: 'an answer', steps: () => [says('The capital of Italy is Rome.')] },
  {
    name: 'an answer by a tool',
    steps: (random) => [...runs('find_order', { order: intBetween(random, 1, 9999) }, 'shipped'), says('It has shipped.')],
  },
  {
    name: 'a question asked again while something changes',
    steps: () => [
      ...['queued', 'running', 'running', 'done'].flatMap((state, n) => runs('job_state', { job: 12 }, `${state} ${n}`)),
      says('Done.'),
    ],
  },
  {
    name: 'a question asked again until it is done',
    steps: () => [
      ...['pending', 'pending', 'pending', 'done'].flatMap((state) => runs('job_state', { job: 12 }, state)),
      says('Done.'),
    ],
  },
  { name: 'a tool that answers nothing by design', steps: () => [...runs('save_note', { text: 'milk' }, ''), says('Saved.')] },
  {
    name: 'a search that finds nothing, once',
    steps: () => [
      ...runs('search_docs', { query: 'flux capacitor' }, '[]'),
      ...runs('search_docs', { query: 'capacitor' }, '[{"title":"Capacitors"}]'),
      says('See there.'),
    ],
  },
  { name: 'a text that is cut on purpose', steps: () => [says('The report begins with the year in which the', 'length')] },
  {
    name: 'log lines that a tool found',
    steps: () => [...runs('search_logs', { query: 'level:error' }, LOG_LINES.join('\n')), says('Payments time out.')],
  },
  { name: 'one log line', steps: (random) => [...runs('tail_log', { lines: 1 }, pick(random, LOG_LINES)), says('That is all.')] },
  {
    name: 'found errors as data',
    steps: () => [
      ...runs('search_tickets', { state: 'any' }, JSON.stringify({ items: TICKETS, error: null, total: 2 })),
      says('Two tickets.'),
    ],
  },
  { name: 'a list of found errors', steps: () => [...runs('list_errors', {}, JSON.stringify(TICKETS)), says('Two.')] },
  {
    name: 'source code that speaks of errors',
    steps: () => [...runs('read_file', { path: 'load.py' }, SOURCE), says('It raises.')],
  },
  {
    name: 'a page about status codes',
    steps: () => [
      ...runs(
        'fetch_page',
        { url: 'https://docs/http' },
        '# HTTP status codes\n\nA client that is not logged in gets 401 Unauthorized. A gateway that waited answers 504 Gateway Timeout.',
      ),
      says('401.'),
    ],
  },
  {
    name: 'a test run that says what failed',
    steps: () => [...runs('run_tests', {}, '3 passed, 1 failed\nFAILED test_load - AssertionError: 1 != 2'), says('One fails.')],
  },
  {
    name: 'a check with a negative answer',
    steps: () => [...runs('is_eligible', { user: 5 }, '{"eligible":false,"success":false}'), says('No.')],
  },
  {
    name: 'the state of a service as data',
    steps: () => [
      ...runs('service_state', { name: 'pay' }, '{"status":"error","since":"10:00","region":"eu"}'),
      says('It is down.'),
    ],
  },
  {
    name: 'words about failing',
    steps: () => [says('Your payment failed because the card expired: Error 51. I am sorry for the trouble. You can try again.')],
  },
  {
    name: 'a polite answer',
    steps: () => [says("I'm sorry to hear that. I can't promise a date, but the parcel should be there by Friday.")],
  },
  {
    name: 'a command that finds nothing',
    steps: () => [...runs('shell', { command: 'grep -c malloc main.c' }, '0\nexit code 1'), says('None.')],
  },
  {
    name: 'different questions to one tool',
    steps: () => [...['Rome', 'Oslo', 'Bern'].flatMap((city) => runs('weather', { city }, 'sunny')), says('Sunny everywhere.')],
  },
]

/** Claude Code tells no text, so some scenes say nothing there; they are drawn all the same. */
export const AGENT_SHAPES: readonly HealthyShape[] = [...DIALECTS, ...MORE_DIALECTS].flatMap((dialect) =>
  SCENES.map(({ name, steps }) => ({ name: `${dialect.name}: ${name}`, draw: (random: Random) => told(dialect, steps(random)) })),
)

function told(dialect: Dialect, steps: readonly Step[]): HealthySpan[] {
  const below = steps.map(
    (step): HealthySpan => ({ ...('run' in step ? dialect.tool(step.run) : dialect.chat(step.turn)), under: 0 }),
  )
  return [dialect.agent(), ...below]
}

export const DIALECT_COUNT = DIALECTS.length + MORE_DIALECTS.length
