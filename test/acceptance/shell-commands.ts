/** The ```sh blocks of a Markdown document, in order; each is run as one script. */
export function shellCommands(markdown: string): string[] {
  return [...markdown.matchAll(/^```(?:sh|bash|shell)\n([\s\S]*?)^```/gm)]
    .map(([, block]) => (block ?? '').trim())
    .filter((block) => block !== '')
}
