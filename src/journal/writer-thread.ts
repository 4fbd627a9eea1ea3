import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '../kernel/errors.ts';
import { storageError } from './database.ts';
import { type FromWriter, type ToWriter, unpack, type WireRequest, type WriterSetup, wireError } from './wire.ts';
import { type Commit, Writer } from './writer.ts';

/** How long nothing must have come before the log is moved into the database in good time, ms. */
const IDLE_MS = 500;
/** Pages of log that are worth a checkpoint while idle. */
const IDLE_PAGES = 100;
/** Requests in one transaction at most: bounds how long the first of them waits. */
const LARGEST = 2_000;

invariant(parentPort !== null, 'the writer runs in a thread');
const port: MessagePort = parentPort;
const setup = workerData as WriterSetup;
const tell = (message: FromWriter): void => port.postMessage(message);

let writer: Writer | null = Writer.open(setup.file, setup.boot);
let idle: NodeJS.Timeout | null = null;
tell({ type: 'ready', head: writer.head });

function commit(requests: WireRequest[]): void {
  let result: Commit;
  try {
    // After a failure of the disk the old connection is not trusted: its handles may point at a device that is gone.
    writer ??= Writer.open(setup.file, setup.boot);
    result = writer.commit(requests);
  } catch (thrown) {
    const failure = wireError(storageError(thrown, setup.file), 'STORAGE_UNAVAILABLE');
    result = { outcomes: requests.map(({ n }) => ({ n, error: failure })), failure };
  }
  tell({ type: 'commit', head: writer?.head ?? 0, ...result });
  if (result.failure === null) {
    if (requests.some(({ erase }) => erase.length > 0)) writer?.emptyLog();
    else writer?.checkpoint();
  } else if (result.failure.code === 'STORAGE_FULL') {
    // The log can be written from its beginning again once what it holds is in the database.
    writer?.checkpoint(1);
  } else {
    const broken = writer;
    writer = null;
    broken?.close(null);
  }
}

function close(wall: number): void {
  if (idle !== null) clearTimeout(idle);
  try {
    writer?.close(wall);
  } catch (thrown) {
    // A disk that cannot be written cannot record an orderly end either; the next start then checks more.
    if (storageError(thrown, setup.file) === thrown) throw thrown;
  }
  tell({ type: 'closed' });
  port.close();
}

port.on('message', (first: ToWriter) => {
  const requests: WireRequest[] = [];
  for (let message: ToWriter | undefined = first; message !== undefined; ) {
    if (message.type === 'close') {
      if (requests.length > 0) commit(requests.splice(0));
      close(message.wall);
      return;
    }
    for (const request of message.requests) requests.push(unpack(request));
    if (requests.length >= LARGEST) commit(requests.splice(0));
    message = (receiveMessageOnPort(port) as { message: ToWriter } | undefined)?.message;
  }
  if (requests.length > 0) commit(requests);
  if (idle === null) {
    idle = setTimeout(() => {
      idle = null;
      writer?.checkpoint(IDLE_PAGES);
    }, IDLE_MS);
  } else idle.refresh();
});
