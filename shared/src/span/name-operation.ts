import { boundText } from './attribute-values.ts'
import { UNNAMED_LOG } from './log-as-span.ts'
import { templateName } from './name-template.ts'
import { OPERATION_CHARS_MAX, type ViewDraft } from './view-draft.ts'

/**
 * The low-cardinality name of the work: what the dialect composed (route, service/method, verb and collection), for
 * generative work its verb with the tool or the agent, else the span's name without what varies.
 */
export function nameOperation(draft: ViewDraft): string {
  if (draft.span.log) return nameLogOperation(draft)
  if (draft.operation !== null) return boundText(draft.operation, OPERATION_CHARS_MAX)
  if (draft.work === null) {
    draft.derived.operation = 'span.name'
    return templateName(draft.span.name) || '(unnamed)'
  }
  const subject = subjectOf(draft)
  if (subject === null) {
    draft.derived.operation ??= draft.derived.kind!
    return boundText(draft.work, OPERATION_CHARS_MAX)
  }
  return boundText(`${draft.work} ${subject}`, OPERATION_CHARS_MAX)
}

/**
 * By its event or its logger, apart from every operation of a span: where the span that it names is known, its failure
 * counts against the runs of that span's operation, and else against none.
 */
function nameLogOperation({ span, derived }: ViewDraft): string {
  derived.operation = span.log!.eventName === span.name ? 'log.event_name' : 'scope.name'
  return span.name === UNNAMED_LOG ? UNNAMED_LOG : boundText(`log ${templateName(span.name)}`, OPERATION_CHARS_MAX)
}

/**
 * A tool's call is the same work whichever agent makes it; a model call belongs to its agent, if it has one. The model is
 * never part of the name: instrumentations learn it from the answer, so a call that failed would be another operation than
 * those that went well, and a change of model would leave nothing to compare with.
 */
function subjectOf(draft: ViewDraft): string | null {
  switch (draft.kind) {
    case 'tool':
      return named(draft, 'tool', draft.tool)
    case 'agent':
    case 'chat':
    case 'embeddings':
      return named(draft, 'agent', draft.agent)
    default:
      return draft.subject === null ? null : templateName(draft.subject)
  }
}

function named(draft: ViewDraft, field: 'tool' | 'agent', name: string | null): string | null {
  if (name === null) return null
  draft.derived.operation = draft.derived[field]!
  return templateName(name)
}
