import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../kernel/errors.ts';
import { openForReading, storageError } from './database.ts';
import { copyDatabase, type Examination, examine } from './examine.ts';
import { type WireError, wireError } from './wire.ts';

/** Work that reads a whole database and must not hold up the event loop. */
export type Task =
  | { readonly do: 'examine'; readonly file: string }
  | { readonly do: 'copy'; readonly file: string; readonly to: string };

export type TaskResult = { readonly examination: Examination } | { readonly error: WireError };

async function work(task: Task): Promise<Examination> {
  const db = openForReading(task.file);
  try {
    return task.do === 'examine' ? examine(db) : await copyDatabase(db, task.to);
  } finally {
    db.close();
  }
}

invariant(parentPort !== null, 'maintenance runs in a thread');
const port = parentPort;
const task = workerData as Task;
let result: TaskResult;
try {
  result = { examination: await work(task) };
} catch (thrown) {
  result = { error: wireError(storageError(thrown, task.file), 'STORAGE_UNAVAILABLE') };
}
port.postMessage(result);
