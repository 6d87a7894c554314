/**
 * What an agent's steps said and were told: texts of models and tools, by dialect. They are long, so the door leaves them alone;
 * only who judges a whole trace decodes them.
 */

/** What a model answered, whole, as OpenTelemetry's messages. */
export const OUTPUT_MESSAGES_KEY = 'gen_ai.output.messages'

/** The provider's answer as it came: OpenInference, LangSmith, Langfuse, Haystack, Google's ADK. */
export const RAW_OUTPUT_KEYS = [
  'output.value',
  'gen_ai.completion',
  'langfuse.observation.output',
  'haystack.agent.step.llm.output',
  'haystack.component.output',
  'gcp.vertex.agent.llm_response',
] as const

/** Messages and answer of a model call as one list of events: Pydantic AI's first format. */
export const EVENTS_KEY = 'events'

export const VERCEL_OUTPUT_KEYS = ['ai.response.text', 'ai.response.object', 'ai.response.toolCalls'] as const

/** What a model was asked, whole: only looked through for the ids of tool calls. */
export const INPUT_MESSAGES_KEYS = [
  'gen_ai.input.messages',
  'input.value',
  'ai.prompt.messages',
  'gen_ai.prompt',
  'langfuse.observation.input',
  'haystack.agent.step.llm.input',
  'gcp.vertex.agent.llm_request',
  EVENTS_KEY,
] as const

/** Tools that a model could call, with their schemas, as one list. */
export const TOOLS_OFFERED_KEYS = ['gen_ai.tool.definitions', 'gen_ai.request.tools', 'ai.prompt.tools'] as const

/**
 * Arguments of a tool's run, by dialect: gen_ai, MCP, Vercel AI SDK, Pydantic AI, Google's ADK, Haystack, Langfuse, OpenInference,
 * Traceloop, LangSmith.
 */
export const TOOL_ARGUMENTS_KEYS = [
  'gen_ai.tool.call.arguments',
  'mcp.request.params.arguments',
  'ai.toolCall.args',
  'ai.toolCall.input',
  'tool.arguments',
  'tool_arguments',
  'gcp.vertex.agent.tool_call_args',
  'haystack.agent.step.tool.input',
  'langfuse.observation.input',
  'input.value',
  'traceloop.entity.input',
  'gen_ai.prompt',
] as const

export const TOOL_CALL_ID_KEYS = ['gen_ai.tool.call.id', 'ai.toolCall.id', 'tool_call.id', 'tool.id'] as const

/** A person's or an evaluator's word on a span, where it is no event of its own: in words, and as a number. */
export const FEEDBACK_LABEL_KEYS = [
  'gen_ai.evaluation.score.label',
  'evaluation.label',
  'feedback',
  'feedback.thumbs',
  'feedback.value',
  'feedback.rating',
  'feedback.label',
  'feedback.sentiment',
  'feedback.type',
  'user.feedback',
  'user_feedback',
  'user.rating',
  'gen_ai.feedback',
  'gen_ai.user.feedback',
] as const
export const FEEDBACK_SCORE_KEYS = [
  'gen_ai.evaluation.score.value',
  'evaluation.score',
  'feedback.score',
  'user.feedback.score',
] as const
export const FEEDBACK_NAME_KEYS = ['gen_ai.evaluation.name', 'evaluation.name', 'feedback.name'] as const

/** Events that carry a word like that. */
export const FEEDBACK_EVENTS =
  /^(?:gen_ai\.evaluation\.result|gen_ai\.user[._]feedback|(?:user[._ ])?feedback|thumbs[._ ]?down)$/i

/** Attributes spread over numbered keys: `llm.output_messages.0.message.content`. */
export const STEP_PREFIXES = ['llm.output_messages.', 'gen_ai.completion.', 'llm.tools.', 'llm.request.functions.'] as const

export const STEP_KEYS: readonly string[] = [
  OUTPUT_MESSAGES_KEY,
  ...RAW_OUTPUT_KEYS,
  EVENTS_KEY,
  ...VERCEL_OUTPUT_KEYS,
  ...INPUT_MESSAGES_KEYS,
  ...TOOLS_OFFERED_KEYS,
  ...TOOL_ARGUMENTS_KEYS,
  ...TOOL_CALL_ID_KEYS,
  ...FEEDBACK_LABEL_KEYS,
  ...FEEDBACK_SCORE_KEYS,
  ...FEEDBACK_NAME_KEYS,
]

/** Longest text of a step that is judged, in bytes: a longer one is cut, so that a batch of traces fits in memory. */
export const STEP_TEXT_MAX_BYTES = 32_768
