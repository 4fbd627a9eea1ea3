// The abstract suite that aedes-persistence ships for every store, against ours as built, on a real journal.
// Run by `node --test`; persistence.test.ts does so.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import abstractPersistence from 'aedes-persistence/abstract.js';
import { pino } from 'pino';
import { Sessions } from '../../src/broker/sessions.ts';
import { Journal } from '../../src/journal/journal.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';

const log = pino({ level: 'silent' });
const clock = new SystemClock();
const dirs = [];

/** Each test gets a journal of its own, closed with the sessions in it; `broker` is what the suite looks at besides. */
class SessionsUnderTest extends Sessions {
  #journal;
  broker = null;

  constructor(journal) {
    super({ store: journal, clock, log, maxQueued: 10_000, dropped: (why) => log.warn(why) });
    this.#journal = journal;
  }

  async setup(broker) {
    this.broker = broker;
    await super.setup(broker);
  }

  async destroy() {
    await super.destroy();
    await this.#journal.close();
  }
}

abstractPersistence({
  test,
  testAsync: true,
  persistence: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-persistence-'));
    dirs.push(dir);
    return new SessionsUnderTest(await Journal.open({ dir, clock, log, newId: idSource(clock) }));
  },
});

after(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});
