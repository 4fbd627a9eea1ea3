import { z } from 'zod';
import { Id } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';

/** Bytes of an order at most. */
const LARGEST = 16 * 1024;
/** No order may wait longer than this for the box, ms. */
const LONGEST_LIFE = 24 * 3_600_000;
/** A door opens because somebody stands before it now, ms. */
const LONGEST_LIFE_OF_OPEN = 10 * 60_000;

const OrderId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'letters, digits, . _ : -, at most 64');
const Text = z.string().trim().min(1).max(500);
const AlarmId = z.uuid();

const common = {
  id: OrderId.describe('Chosen by the centre, unique for ever; a second copy gets the same reply and does nothing'),
  issuedAt: z.iso.datetime({ offset: true }),
  expiresAt: z.iso.datetime({ offset: true }).describe('At most 24 h after issuedAt; 10 min for open-door'),
  by: z.string().trim().min(1).max(100).describe('Who at the centre ordered it'),
};

export const Order = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('acknowledge'), alarm: AlarmId, note: Text.optional() }),
  z.strictObject({ ...common, type: z.literal('handle'), alarm: AlarmId, result: Text }),
  z.strictObject({ ...common, type: z.literal('close'), alarm: AlarmId, reason: Text }),
  z.strictObject({ ...common, type: z.literal('note'), alarm: AlarmId, text: Text }),
  z.strictObject({ ...common, type: z.literal('open-door'), door: Id, reason: Text }),
  z.strictObject({ ...common, type: z.literal('evidence'), alarm: AlarmId, ref: z.string().max(300), reason: Text }),
  z.strictObject({
    ...common,
    type: z.literal('query'),
    what: z.enum(['alarms', 'alarm', 'devices', 'device', 'doors']),
    alarm: AlarmId.optional(),
    device: Id.optional(),
    limit: z.int().min(1).max(100).default(50),
  }),
  z.strictObject({ ...common, type: z.literal('ping') }),
]);
/** What the centre may ask of a box. */
export type Order = z.output<typeof Order>;
export type OrderOf<T extends Order['type']> = Extract<Order, { type: T }>;

const TYPES = Order.options.map(({ shape }) => shape.type.value);

export const orderSchema = (): Record<string, unknown> =>
  z.toJSONSchema(Order, { io: 'input' }) as Record<string, unknown>;

/** What stands in an order that is none: enough to answer it, when it says who it is. */
export class BadOrder extends QuanweiError {
  readonly id: string | null;
  /** As it says itself, where that is a type there is. */
  readonly type: Order['type'] | 'unknown';

  constructor(what: string, id: string | null, type: Order['type'] | 'unknown' = 'unknown') {
    super('BAD_REQUEST', what);
    this.id = id;
    this.type = type;
  }
}

/** @throws BadOrder */
export function parseOrder(payload: Buffer): Order {
  if (payload.length > LARGEST) throw new BadOrder(`an order has at most ${LARGEST} bytes`, null);
  let said: unknown;
  try {
    said = JSON.parse(payload.toString('utf8'));
  } catch (thrown) {
    throw new BadOrder(`not JSON: ${messageOf(thrown)}`, null);
  }
  const parsed = Order.safeParse(said);
  if (parsed.success) return parsed.data;
  const id = OrderId.safeParse((said as { id?: unknown } | null)?.id).data ?? null;
  const type = TYPES.find((known) => known === (said as { type?: unknown } | null)?.type);
  const [first] = parsed.error.issues;
  throw new BadOrder(`${first?.path.join('.') ?? ''}: ${first?.message ?? 'not an order'}`, id, type);
}

/** A centre's clock may be ahead of ours by this much, ms. */
const CLOCK_SLACK = 5 * 60_000;

/** Why an order may not be carried out at `now`, or `null`. */
export function lapsed(order: Order, now: number): { code: string; detail: string } | null {
  const issued = Date.parse(order.issuedAt);
  const expires = Date.parse(order.expiresAt);
  const life = order.type === 'open-door' ? LONGEST_LIFE_OF_OPEN : LONGEST_LIFE;
  if (expires <= issued || expires - issued > life) {
    return { code: 'BAD_REQUEST', detail: `expiresAt must lie within ${life / 60_000} min after issuedAt` };
  }
  if (now >= expires) return { code: 'EXPIRED', detail: `it was to be carried out before ${order.expiresAt}` };
  if (issued > now + CLOCK_SLACK) {
    return { code: 'CLOCK', detail: `issued at ${order.issuedAt}, but here it is ${new Date(now).toISOString()}` };
  }
  return null;
}
