import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import { collectorSocketPath } from '@loopkit/shared/runtime/collector-socket'
import type { Addresses } from '../domain/signup-answer.ts'

type AddressSettings = Pick<
  Settings,
  'host' | 'publicUrl' | 'publicOtlpUrl' | 'otlpHttpPort' | 'otlpPathPrefix' | 'otlpTlsCertFile' | 'dataDir'
>

/** Where the collector is reached from this process. */
export interface CollectorAddress {
  host: string
  port: number
  pathPrefix: string
  /** Where its ports speak TLS: the file it listens on beside them, in place of host and port. */
  socketPath?: string
}

/** Addresses that stand for "every interface": one listens there, and connects elsewhere. */
const EVERY_INTERFACE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** What the outside is told: the public URLs, else host and port; until the collector's port is known, the analyzer takes OTLP too. */
export function createAddresses(settings: AddressSettings, analyzerPort: () => number): Addresses {
  const shownHost = settings.host in EVERY_INTERFACE ? 'localhost' : hostInUrl(settings.host)
  const otlpScheme = settings.otlpTlsCertFile ? 'https' : 'http'
  const analyzerUrl = () => trimSlash(settings.publicUrl) ?? `http://${shownHost}:${analyzerPort()}`
  return {
    analyzerUrl,
    otlpUrl: () => {
      const port = collectorPort(settings)
      const own = port === null ? analyzerUrl() : `${otlpScheme}://${shownHost}:${port}${settings.otlpPathPrefix}`
      return trimSlash(settings.publicOtlpUrl) ?? own
    },
  }
}

/** The collector's address as this process connects to it; null while it runs on a free port that it has not written yet. */
export function findCollector(settings: AddressSettings): CollectorAddress | null {
  const port = collectorPort(settings)
  if (port === null) return null
  const socketPath = settings.otlpTlsCertFile ? collectorSocketPath(settings.dataDir) : null
  const address = { host: EVERY_INTERFACE[settings.host] ?? settings.host, port, pathPrefix: settings.otlpPathPrefix }
  return socketPath === null ? address : { ...address, socketPath }
}

function collectorPort({ otlpHttpPort, dataDir }: AddressSettings): number | null {
  if (otlpHttpPort !== 0) return otlpHttpPort
  try {
    const { otlpHttpPort: port } = JSON.parse(readFileSync(join(dataDir, 'run', 'collector.json'), 'utf8')) as {
      otlpHttpPort?: unknown
    }
    return typeof port === 'number' ? port : null
  } catch {
    // Not started yet, or half written: asked again with the next request.
    return null
  }
}

/** A host as it stands in a URL: IPv6 in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function trimSlash(url: string | null): string | null {
  return url === null || url === '' ? null : url.replace(/\/+$/, '')
}
