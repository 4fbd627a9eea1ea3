import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '../kernel/errors.ts';
import { Committer } from './committer.ts';
import { type FromWriter, type ToWriter, unpack, type WireRequest, type WriterSetup } from './wire.ts';

/** How long nothing must have come before the log is moved into the database in good time, ms. */
const IDLE_MS = 500;
/** Requests in one transaction at most: bounds how long the first of them waits. */
const LARGEST = 2_000;
/**
 * Pages in the write-ahead log (4 KiB each) from which a commit is followed by a checkpoint. Small, because whoever
 * comes next waits for it: 2 MB are 0.1 s on an SD card. New entries go to the end, so little is written twice.
 */
const CHECKPOINT_PAGES = 500;

invariant(parentPort !== null, 'the writer runs in a thread');
const port: MessagePort = parentPort;
const committer = new Committer(workerData as WriterSetup, CHECKPOINT_PAGES);
const tell = (message: FromWriter): void => port.postMessage(message);

let idle: NodeJS.Timeout | null = null;
tell({ type: 'ready' });

function commit(requests: WireRequest[]): void {
  const result = committer.commit(requests);
  tell({ type: 'commit', ...result });
  committer.tidy(requests, result);
}

function end(): void {
  if (idle !== null) clearTimeout(idle);
  port.close();
}

port.on('message', (first: ToWriter) => {
  const requests: WireRequest[] = [];
  const commitAll = () => {
    if (requests.length > 0) commit(requests.splice(0));
  };
  for (let message: ToWriter | undefined = first; message !== undefined; ) {
    if (message.type === 'requests') {
      requests.push(...unpack(message));
      if (requests.length >= LARGEST) commitAll();
    } else {
      commitAll();
      if (message.type === 'release') {
        committer.release();
        tell({ type: 'released' });
      } else {
        if (message.type === 'close') {
          committer.close(message.wall);
          tell({ type: 'closed' });
        }
        end();
        return;
      }
    }
    message = (receiveMessageOnPort(port) as { message: ToWriter } | undefined)?.message;
  }
  commitAll();
  if (idle === null) {
    idle = setTimeout(() => {
      idle = null;
      committer.idle();
    }, IDLE_MS);
  } else idle.refresh();
});
