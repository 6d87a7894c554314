/** A promise of the product that a body broke. The message is the same for every body that breaks it in the same way. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError'
}

export function promise(isKept: boolean, what: string): void {
  if (!isKept) throw new BrokenPromiseError(what)
}
