import { createServer } from 'node:net'

/**
 * Takes requests and answers them without looking at them: what the load itself can do. Knows only what the load sends, one
 * request at a time with a content-length. Prints its port.
 */
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')

const server = createServer((socket) => {
  let missing = 0
  socket.on('data', (chunk) => {
    if (missing === 0) {
      const headEnd = chunk.indexOf(HEAD_END)
      const length = /content-length: (\d+)/.exec(chunk.toString('latin1', 0, headEnd))
      missing = Number(length?.[1] ?? 0) - (chunk.length - headEnd - HEAD_END.length)
    } else missing -= chunk.length
    if (missing === 0) socket.write(ANSWER)
  })
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(address.port)
})
