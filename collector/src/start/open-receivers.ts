import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import type { Settings } from '@loopkit/config/settings-schema'
import type { Clock } from '@loopkit/shared/runtime/clock'
import { collectorSocketPath } from '@loopkit/shared/runtime/collector-socket'
import type { Lifecycle } from '@loopkit/shared/runtime/lifecycle'
import type { Logger } from '@loopkit/shared/runtime/log'
import { type OnRequest, timeCall, timeExports } from '../observe/time-requests.ts'
import { createCorsPolicy } from '../receive/cors.ts'
import { createExportHandler, type ExportHandlerDeps } from '../receive/export-handler.ts'
import { createGrpcServer } from '../receive/grpc/grpc-server.ts'
import { createHttpServer } from '../receive/http-server.ts'
import { createRoutes, type RouteDeps } from '../receive/routes.ts'
import { readTlsFiles, TlsError, type TlsFiles, type TlsMaterial, tlsFilesOf } from '../receive/tls/tls-files.ts'
import { startTlsReload } from '../receive/tls/tls-reload.ts'
import { createHinter } from '../receive/wrong-protocol.ts'
import { listen, listenOnFile, stopListening } from './listen.ts'

export interface ReceiversOptions extends Pick<RouteDeps, 'unreadyReason' | 'metricsText'> {
  settings: Settings
  clock: Clock
  log: Logger
  lifecycle: Lifecycle
  exporting: ExportHandlerDeps
  onRequest: OnRequest
  /** The ports are about to be closed. */
  onStop(): void
}

/** OTLP/HTTP and OTLP/gRPC, both or none. They are closed at the same time: the time for requests under way is one. */
export async function openReceivers(options: ReceiversOptions): Promise<{ port: number; grpcPort: number }> {
  const { settings, clock, log, lifecycle, exporting, onRequest, onStop } = options
  const hint = createHinter((text) => log.warn({ code: 'receive.wrong_protocol', hint: text }, text), clock.monotonicMs)
  const files = tlsFilesOf(settings)
  const tls = files && readTlsFiles(files)
  const http = createHttpServer({ route: createRoutes(routeDeps(options, exporting)), hint, tls })
  const grpc = createGrpcServer({ ...exporting, hint, tls })
  grpc.server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
    timeCall(stream, headers[':path'], onRequest, clock.monotonicMs),
  )
  const closers: (() => Promise<void>)[] = []
  lifecycle.defer('receivers', async () => {
    onStop()
    await Promise.all(closers.map((close) => close()))
  })
  const port = await listen(http, settings.otlpHttpPort, settings.host)
  closers.push(() => stopListening(http))
  const grpcPort = await listen(grpc.server, settings.otlpGrpcPort, settings.host)
  closers.push(grpc.stop)
  if (files && tls) {
    const local = await openLocal(options)
    closers.push(() => stopListening(local))
    const serve = (material: TlsMaterial) => {
      for (const server of [http, grpc.server]) if ('setSecureContext' in server) server.setSecureContext(material)
    }
    lifecycle.defer('tls files', watchFiles(files, tls, options, serve))
  }
  return { port, grpcPort }
}

function routeDeps(
  { settings, clock, log, onRequest, unreadyReason, metricsText }: ReceiversOptions,
  exporting: ExportHandlerDeps,
): RouteDeps {
  return {
    pathPrefix: settings.otlpPathPrefix.replace(/\/+$/, ''),
    cors: createCorsPolicy(settings),
    handleExport: timeExports(createExportHandler(exporting), onRequest, clock.monotonicMs),
    unreadyReason,
    metricsText,
    onError: (error) => log.error({ code: 'http.failed', err: error }, 'a request could not be routed'),
  }
}

/** For the analyzer, which passes on what it is sent: behind TLS it would need a certificate of its own. */
async function openLocal(options: ReceiversOptions): Promise<Server> {
  const { dataDir } = options.settings
  const path = collectorSocketPath(dataDir)
  if (path === null) throw new TlsError(`LOOPKIT_DATA_DIR is too long a path for the socket that TLS needs in it (${dataDir})`)
  const exporting = { ...options.exporting, isLocal: () => true }
  const local = createHttpServer({ route: createRoutes(routeDeps(options, exporting)), hint: () => {}, tls: null })
  mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 })
  await listenOnFile(local, path)
  return local
}

/** A certificate that has ended or is about to is said at start and whenever it is read anew. */
const ENDS_SOON_MS = 7 * 24 * 3_600_000

function watchFiles(
  files: TlsFiles,
  current: TlsMaterial,
  { settings, clock, log }: ReceiversOptions,
  serve: (material: TlsMaterial) => void,
): () => void {
  const noteEnd = ({ validUntilMs }: TlsMaterial) => {
    const valid_until = new Date(validUntilMs).toISOString()
    if (validUntilMs - clock.nowMs() < ENDS_SOON_MS)
      log.warn(
        { code: 'tls.ends', file: files.certFile, valid_until },
        'the certificate of the OTLP ports ends soon or has ended',
      )
  }
  noteEnd(current)
  return startTlsReload({
    files,
    current,
    everyMs: settings.otlpTlsReloadMs,
    onChanged: (material) => {
      serve(material)
      log.info({ code: 'tls.reloaded', file: files.certFile }, 'new connections are served with the new certificate')
      noteEnd(material)
    },
    onUnusable: (reason) =>
      log.error({ code: 'tls.unusable', reason }, 'the TLS files have changed and cannot be used; the former ones are served'),
  })
}
