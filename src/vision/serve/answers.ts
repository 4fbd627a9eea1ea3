import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is sent, whole and no longer than it may be. */
export function body(
  request: IncomingMessage,
  answer: ServerResponse,
  most: number,
  then: (all: Buffer) => void,
): ServerResponse {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) {
      refuse(answer, 413, 'too large');
      request.destroy();
    } else chunks.push(chunk);
  });
  request.on('end', () => then(Buffer.concat(chunks)));
  return answer;
}

/** @param status 200 unless told otherwise */
export function json(answer: ServerResponse, body: unknown, status = 200): ServerResponse {
  const text = JSON.stringify(body);
  answer.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  return answer.end(text);
}

export function refuse(answer: ServerResponse, status: number, why: string): ServerResponse {
  if (answer.headersSent) return answer.destroy();
  return answer.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`);
}
