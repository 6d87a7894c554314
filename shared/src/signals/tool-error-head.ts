/** A tool's result that begins with an error. Read by the signal of it, and by tests of agents that see only what tools answered. */
export const TOOL_ERROR_HEAD =
  /^\W{0,3}(?:an error occurred while (?:running|executing|calling) the tool|I encountered an error while trying to use the tool|tool execution (?:failed|error)|encountered error: |error(?: (?:executing|calling|running|while|when|in|during|code|message)\b[^:\n]{0,120})?:|exception:|fatal:|traceback \(most recent call last\)|(?:[A-Za-z_.]{0,80}(?:Error|Exception)): )/i
