import { Worker } from 'node:worker_threads';
import { QuanweiError } from '../kernel/errors.ts';
import { threadFile } from '../kernel/thread.ts';
import { databaseFile } from './database.ts';
import type { Examination } from './examine.ts';
import type { Task, TaskResult } from './maintenance-thread.ts';
import { errorOf } from './wire.ts';

/** Does a task in a thread of its own. @throws QuanweiError STORAGE_*, NOT_FOUND */
export function inThread(task: Task, signal?: AbortSignal): Promise<Examination> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(threadFile(import.meta.url, 'maintenance-thread'), { workerData: task, execArgv: [] });
    const abort = () => void worker.terminate();
    signal?.addEventListener('abort', abort, { once: true });
    worker.on('message', (result: TaskResult) => {
      if ('error' in result) reject(errorOf(result.error));
      else resolve(result.examination);
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      signal?.removeEventListener('abort', abort);
      reject(new QuanweiError('STORAGE_UNAVAILABLE', 'the examination was broken off', { where: task.file }));
    });
  });
}

/**
 * What `quanwei verify` does: every page, every link of the chain; beside a running gateway or after it.
 * @throws QuanweiError NOT_FOUND when there is no journal, STORAGE_*
 */
export const verify = (dir: string): Promise<Examination> => inThread({ do: 'examine', file: databaseFile(dir) });
