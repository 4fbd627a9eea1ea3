import { createHash } from 'node:crypto';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { BadOrder, lapsed, type Order, type OrderOf, parseOrder } from './order.ts';

/** What came of an order. `code` is `OK` or says why not; `result` is for a query. */
export interface OrderResult {
  readonly ok: boolean;
  readonly code: string;
  readonly detail: string;
  readonly result?: unknown;
}

export interface Evidence {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Carries orders out; the composition wires it to the board, the doors and the registry. The actor is `centre`; who
 * there gave the order is `order.by`. A thrown QuanweiError becomes the reply.
 */
export interface OrderHandlers {
  acknowledge(order: OrderOf<'acknowledge'>): Promise<OrderResult>;
  handle(order: OrderOf<'handle'>): Promise<OrderResult>;
  close(order: OrderOf<'close'>): Promise<OrderResult>;
  note(order: OrderOf<'note'>): Promise<OrderResult>;
  openDoor(order: OrderOf<'open-door'>): Promise<OrderResult>;
  /** A piece of evidence, or why it is not sent. */
  evidence(order: OrderOf<'evidence'>): Promise<Evidence | OrderResult>;
  query(order: OrderOf<'query'>): Promise<OrderResult>;
}

export interface OrdersOptions {
  readonly journal: Journal;
  readonly handlers: OrderHandlers;
  readonly clock: Clock;
  readonly log: Log;
  /** Sends evidence up; resolves when the broker has taken it. Never stored on the way. */
  readonly sendEvidence: (data: Record<string, unknown>) => Promise<void>;
}

/** Orders at once, and how fast that allowance refills, a second. */
const BURST = 100;
const PER_SECOND = 5;
const MOST_AT_ONCE = 32;
/** How long an order's id is remembered; longer than any order can live. */
const REMEMBERED_MS = 30 * 86_400_000;
const HANDLER_MS = 60_000;
const RETRY_MS = 1_000;
const LARGEST_RESULT = 128 * 1024;
/** Bytes of a piece of evidence that is sent. */
export const LARGEST_EVIDENCE = 4 * 1024 * 1024;

interface Row {
  readonly id: string;
  readonly type: string;
  readonly reply: string | null;
}

/**
 * Orders from the centre: taken down before they are begun, carried out once whatever the broker repeats, answered
 * through the journal so that the answer survives everything the box survives.
 */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #allowance: Allowance;
  readonly #underWay = new Set<string>();
  #stopped = false;
  readonly counts = { received: 0, done: 0, refused: 0, repeated: 0, ignored: 0 };

  constructor(options: OrdersOptions) {
    this.#options = options;
    this.#allowance = new Allowance(options.clock, BURST, PER_SECOND);
  }

  /** Answers orders that a power cut interrupted: nobody can tell whether they were carried out. */
  async start(): Promise<void> {
    const rows = this.#options.journal.select<Row>('SELECT id, type, reply FROM orders WHERE reply IS NULL');
    for (const { id, type } of rows) {
      await this.#reply(id, type, {
        ok: false,
        code: 'INTERRUPTED',
        detail: 'the box restarted meanwhile: look at the alarm or the door, then order again with a new id',
      });
    }
  }

  /** What is not answered by now will be answered as interrupted after the next start. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when the order is on disk (or refused); what comes of it is told later, by a reply. */
  async receive(payload: Buffer): Promise<void> {
    if (!this.#allowance.take('centre')) {
      this.counts.ignored += 1;
      return;
    }
    this.counts.received += 1;
    try {
      await this.#take(parseOrder(payload));
    } catch (thrown) {
      this.counts.refused += 1;
      if (!(thrown instanceof BadOrder)) return this.#failed(thrown);
      this.#options.log.warn({ order: thrown.id, what: thrown.message }, 'an order that is none');
      if (thrown.id === null || this.#known(thrown.id) !== null) return;
      const result = { ok: false, code: 'BAD_REQUEST', detail: thrown.message };
      // Not remembered: the same id may be used for the corrected order.
      await this.#options.journal
        .append([replyDraft(thrown.id, thrown.type, result)])
        .catch((e: unknown) => this.#failed(e));
    }
  }

  async #take(order: Order): Promise<void> {
    const { journal, clock } = this.#options;
    if (this.#underWay.has(order.id)) {
      this.counts.repeated += 1;
      return;
    }
    const known = this.#known(order.id);
    if (known !== null) {
      this.counts.repeated += 1;
      if (known.reply === null) return;
      await journal.append([replyDraft(known.id, known.type, JSON.parse(known.reply) as OrderResult)]);
      return;
    }
    const refusal = this.#refusal(order);
    if (refusal !== null) {
      this.counts.refused += 1;
      await this.#record(order, [replyDraft(order.id, order.type, refusal)], refusal);
      return;
    }
    this.#underWay.add(order.id);
    try {
      await this.#record(order, [], null);
    } catch (thrown) {
      this.#underWay.delete(order.id);
      throw thrown;
    }
    const began = clock.mono();
    this.#carryOut(order)
      .then((result) => this.#reply(order.id, order.type, result))
      .then(() => {
        this.counts.done += 1;
        this.#options.log.info({ order: order.id, type: order.type, ms: clock.mono() - began }, 'order answered');
      })
      .catch((thrown: unknown) => this.#failed(thrown))
      .finally(() => this.#underWay.delete(order.id));
  }

  #refusal(order: Order): OrderResult | null {
    const late = lapsed(order, this.#options.clock.wall());
    if (late !== null) return { ok: false, ...late };
    return this.#underWay.size < MOST_AT_ONCE
      ? null
      : { ok: false, code: 'TOO_MANY', detail: `${MOST_AT_ONCE} orders are being carried out` };
  }

  /** Takes the order down: in the journal, and under its id, together. */
  async #record(order: Order, more: readonly Draft[], reply: OrderResult | null): Promise<void> {
    const now = Math.round(this.#options.clock.wall());
    const changes: Change[] = [
      {
        sql: 'INSERT INTO orders VALUES (?, ?, ?, ?)',
        params: [order.id, order.type, now, reply === null ? null : JSON.stringify(reply)],
      },
      { sql: 'DELETE FROM orders WHERE received < ?', params: [now - REMEMBERED_MS] },
    ];
    await this.#options.journal.append(
      [{ kind: 'order.received', actor: 'centre', subject: order.id, body: { order } }, ...more],
      changes,
    );
  }

  async #carryOut(order: Order): Promise<OrderResult> {
    try {
      const result = await this.#inTime(this.#handle(order));
      const size = result.result === undefined ? 0 : JSON.stringify(result.result).length;
      if (size <= LARGEST_RESULT) return result;
      return { ok: false, code: 'TOO_LARGE', detail: `the answer has ${size} characters; ask for less` };
    } catch (thrown) {
      if (thrown instanceof QuanweiError) return { ok: false, code: thrown.code, detail: thrown.describe() };
      this.#options.log.error({ err: thrown, order: order.id, type: order.type }, 'an order failed');
      return { ok: false, code: 'INVARIANT', detail: 'an internal rule was broken; the log of the box says which' };
    }
  }

  #handle(order: Order): Promise<OrderResult> {
    const { handlers, clock } = this.#options;
    switch (order.type) {
      case 'acknowledge':
        return handlers.acknowledge(order);
      case 'handle':
        return handlers.handle(order);
      case 'close':
        return handlers.close(order);
      case 'note':
        return handlers.note(order);
      case 'open-door':
        return handlers.openDoor(order);
      case 'query':
        return handlers.query(order);
      case 'evidence':
        return this.#evidence(order);
      case 'ping':
        return Promise.resolve({
          ok: true,
          code: 'OK',
          detail: '',
          result: {
            time: new Date(clock.wall()).toISOString(),
            clock: clock.state(),
            head: this.#options.journal.head(),
          },
        });
    }
  }

  async #evidence(order: OrderOf<'evidence'>): Promise<OrderResult> {
    const found = await this.#options.handlers.evidence(order);
    if ('ok' in found) return found;
    const { bytes, mediaType } = found;
    if (bytes.length > LARGEST_EVIDENCE) {
      return { ok: false, code: 'TOO_LARGE', detail: `${bytes.length} bytes; at most ${LARGEST_EVIDENCE} are sent` };
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { id, alarm, ref } = order;
    await this.#options.sendEvidence({ order: id, alarm, ref, sha256, mediaType, base64: bytes.toString('base64') });
    return { ok: true, code: 'OK', detail: '', result: { ref, sha256, bytes: bytes.length, mediaType } };
  }

  #inTime(work: Promise<OrderResult>): Promise<OrderResult> {
    return new Promise((resolve, reject) => {
      const limit = this.#options.clock.after(HANDLER_MS, () =>
        resolve({
          ok: false,
          code: 'DEVICE_TIMEOUT',
          detail: `no result within ${HANDLER_MS / 1_000} s; it may still come`,
        }),
      );
      work.then(resolve, reject).finally(() => limit.cancel());
    });
  }

  /** Until it is stored: the order may have been carried out, and the centre must hear of it. */
  async #reply(id: string, type: string, result: OrderResult): Promise<void> {
    const change = { sql: 'UPDATE orders SET reply = ? WHERE id = ?', params: [JSON.stringify(result), id] };
    for (;;) {
      try {
        await this.#options.journal.append([replyDraft(id, type, result)], [change]);
        return;
      } catch (thrown) {
        const passing = thrown instanceof QuanweiError && thrown.family === 'world';
        if (!passing || this.#stopped) throw thrown;
        await new Promise<void>((resolve) => this.#options.clock.after(RETRY_MS, resolve));
      }
    }
  }

  #known(id: string): Row | null {
    return this.#options.journal.select<Row>('SELECT id, type, reply FROM orders WHERE id = ?', id)[0] ?? null;
  }

  #failed(thrown: unknown): void {
    this.#options.log.error({ err: thrown }, `an order could not be taken or answered: ${messageOf(thrown)}`);
  }
}

/** The reply goes up like everything else: through the journal, in lane 2. */
const replyDraft = (id: string, type: string, result: OrderResult): Draft => ({
  kind: 'order.replied',
  actor: 'system',
  subject: id,
  lane: 2,
  body: { order: { id, type }, ...result },
});
