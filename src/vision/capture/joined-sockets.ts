import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the bytes of a connection go. */
export interface Filling {
  /** Memory for the next ones, never empty. */
  room(): Uint8Array;
  /** So many of them are there, at the beginning of that memory. */
  filled(bytes: number): void;
}

/** Two ends of a connection within this machine. */
export interface Joined {
  /** Read here. */
  readonly ours: Socket;
  /** For a child process; closed here once it has it. */
  readonly theirs: Socket;
}

/**
 * Connections whose bytes are read straight into the memory they are for. The pipes Node makes for a child take 64 kB of
 * fresh memory for each read, and only who connects may say where to read to: so both ends are made here, through a socket
 * in a directory of its own that is gone before anything is sent (docs/decisions/095).
 * @throws Error of the system: no descriptors left, no room for temporary files
 */
export async function joinedSockets(fillings: readonly Filling[], signal: AbortSignal): Promise<Joined[]> {
  const directory = await mkdtemp(join(tmpdir(), 'quanwei-'));
  const path = join(directory, 'planes');
  const server = createServer({ pauseOnConnect: true });
  const ends: Socket[] = [];
  try {
    server.listen(path);
    await once(server, 'listening', { signal });
    const joined: Joined[] = [];
    for (const filling of fillings) {
      const arrived = once(server, 'connection', { signal }) as Promise<[Socket]>;
      const ours = connect({
        path,
        onread: {
          buffer: () => filling.room(),
          callback: (bytes) => {
            filling.filled(bytes);
            return true;
          },
        },
      });
      ours.on('error', ignore);
      ends.push(ours);
      const [[theirs]] = await Promise.all([arrived, once(ours, 'connect', { signal })]);
      theirs.on('error', ignore);
      ends.push(theirs);
      joined.push({ ours, theirs });
    }
    return joined;
  } catch (thrown) {
    for (const end of ends) end.destroy();
    throw thrown;
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A broken connection is told by the end of the program behind it. */
function ignore(): void {
  // nothing to add
}
