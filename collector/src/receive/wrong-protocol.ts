/** Tells one line for each kind of mistake, at most once a minute: a misconfigured exporter tries again for ever. */
export type Hinter = (hint: string) => void

const HINT_EVERY_MS = 60_000

export function createHinter(tell: (hint: string) => void, monotonicMs: () => number): Hinter {
  const toldAtMs = new Map<string, number>()
  return (hint) => {
    const nowMs = monotonicMs()
    if (nowMs - (toldAtMs.get(hint) ?? Number.NEGATIVE_INFINITY) < HINT_EVERY_MS) return
    toldAtMs.set(hint, nowMs)
    tell(hint)
  }
}

/** What the first bytes of something that is no HTTP/1.1 give away. */
export function hintOfPacket(packet: Buffer | undefined): string | null {
  if (!packet || packet.length < 3) return null
  if (packet.subarray(0, 14).toString('latin1') === 'PRI * HTTP/2.0')
    return 'a client speaks HTTP/2 or gRPC on the OTLP/HTTP port; OTLP/gRPC has a port of its own'
  if (packet[0] === 0x16 && packet[1] === 3)
    return 'a client speaks TLS on the plain OTLP/HTTP port; LOOPKIT_OTLP_TLS_CERT_FILE turns TLS on'
  return null
}

/** OpenSSL's reason of a handshake that failed → what a person has to mend. */
const HANDSHAKE_HINTS: readonly [reason: RegExp, hint: string][] = [
  [
    /HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/,
    'a client speaks without TLS on a TLS port; its endpoint must start with https://',
  ],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'a client shows no certificate, and LOOPKIT_OTLP_TLS_CLIENT_CA_FILE asks for one'],
  [
    /UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|CERTIFICATE_VERIFY_FAILED|INVALID_PURPOSE/,
    'a client shows a certificate that LOOPKIT_OTLP_TLS_CLIENT_CA_FILE does not vouch for',
  ],
  [/ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE|ALERT_CERTIFICATE/, "a client does not trust this collector's certificate"],
  [
    /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|ALERT_PROTOCOL_VERSION/,
    'a client speaks a version of TLS older than LOOPKIT_OTLP_TLS_MIN_VERSION',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'a client speaks neither gRPC nor HTTP as this TLS port does'],
]

/** Of a failed handshake, the reason is told with the socket where the client's certificate is to blame. */
export interface FailedHandshake {
  authorizationError?: Error | string | null
}

/** null for what is no mistake of set-up: a scanner, or a sender that went away. */
export function hintOfHandshake(
  { code = '', message }: { code?: string; message: string },
  socket: FailedHandshake,
): string | null {
  const reason = `${socket.authorizationError ?? ''} ${code} ${message.replaceAll(' ', '_')}`.toUpperCase()
  return HANDSHAKE_HINTS.find(([pattern]) => pattern.test(reason))?.[1] ?? null
}
