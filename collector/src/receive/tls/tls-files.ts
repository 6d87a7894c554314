import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { Settings } from '@loopkit/config/settings-schema'

/** A setting of TLS or a file that it names cannot be used. The message says which and why; the process exits with 78. */
export class TlsError extends Error {
  override readonly name = 'TlsError'
}

/** Where certificate and key lie. */
export interface TlsFiles {
  certFile: string
  keyFile: string
  /** Of the authorities of clients; null: clients show no certificate. */
  clientCaFile: string | null
  minVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** What a server is given: the content of the files. */
export interface TlsMaterial extends Pick<SecureContextOptions, 'minVersion'> {
  cert: string
  key: string
  ca?: string
  /** End of the certificate's time, in ms. */
  validUntilMs: number
}

/** A client that opens a connection and does not finish its handshake in this time is sent away. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

type TlsSettings = Pick<Settings, 'otlpTlsCertFile' | 'otlpTlsKeyFile' | 'otlpTlsClientCaFile' | 'otlpTlsMinVersion'>

/** null: the ports speak plain. A half of TLS is an error: whoever names a key does not expect a plain port. */
export function tlsFilesOf(settings: TlsSettings): TlsFiles | null {
  const { otlpTlsCertFile: certFile, otlpTlsKeyFile: keyFile, otlpTlsClientCaFile: clientCaFile } = settings
  if (!certFile && !keyFile && !clientCaFile) return null
  if (!certFile) throw new TlsError('LOOPKIT_OTLP_TLS_CERT_FILE is missing; TLS needs a certificate and its key')
  if (!keyFile) throw new TlsError('LOOPKIT_OTLP_TLS_KEY_FILE is missing; TLS needs a certificate and its key')
  return {
    certFile,
    keyFile,
    clientCaFile: clientCaFile || null,
    minVersion: settings.otlpTlsMinVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
  }
}

/** Reads and checks the files together: a certificate that is served without its key would fail every handshake. */
export function readTlsFiles({ certFile, keyFile, clientCaFile, minVersion }: TlsFiles): TlsMaterial {
  const cert = readText('LOOPKIT_OTLP_TLS_CERT_FILE', certFile)
  const key = readText('LOOPKIT_OTLP_TLS_KEY_FILE', keyFile)
  const ca = clientCaFile === null ? undefined : readText('LOOPKIT_OTLP_TLS_CLIENT_CA_FILE', clientCaFile)
  const leaf = attempt(`LOOPKIT_OTLP_TLS_CERT_FILE: ${certFile} holds no certificate in PEM`, () => new X509Certificate(cert))
  const privateKey = attempt(
    `LOOPKIT_OTLP_TLS_KEY_FILE: ${keyFile} holds no private key in PEM that can be read without a password`,
    () => createPrivateKey(key),
  )
  if (!leaf.checkPrivateKey(privateKey)) throw new TlsError(`the key in ${keyFile} is not that of the certificate in ${certFile}`)
  if (ca !== undefined)
    attempt(`LOOPKIT_OTLP_TLS_CLIENT_CA_FILE: ${clientCaFile} holds no certificate in PEM`, () => new X509Certificate(ca))
  const material = { cert, key, ...(ca !== undefined && { ca }), minVersion }
  attempt(`${certFile} and ${keyFile} cannot be used`, () => createSecureContext(material))
  return { ...material, validUntilMs: leaf.validToDate.getTime() }
}

/** The reason is OpenSSL's or the system's; never the content of a file. */
function attempt<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new TlsError(`${what} (${(error as Error).message})`)
  }
}

function readText(setting: string, path: string): string {
  return attempt(`${setting}: ${path} cannot be read`, () => readFileSync(path, 'utf8'))
}

/** Where there are authorities for clients, one without a certificate of theirs gets no further than the handshake. */
export function tlsServerOptions({ cert, key, ca, minVersion }: TlsMaterial): TlsOptions {
  const asksClients = ca !== undefined
  return { cert, key, minVersion, ...(asksClients && { ca, requestCert: true, rejectUnauthorized: true }) }
}
