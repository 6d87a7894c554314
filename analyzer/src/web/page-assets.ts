import { readFileSync } from 'node:fs'

/** The page's own files, read once at start. */
export function pageAssets(): { script: string; style: string } {
  const read = (name: string) => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8')
  return { script: read('dashboard.js'), style: read('dashboard.css') }
}
