import { z } from 'zod';

/** Bytes of a receipt at most. */
const LARGEST = 64 * 1024;

const Receipt = z.object({
  ids: z.array(z.string().max(64)).min(1).max(1_000),
  result: z.enum(['accepted', 'duplicate', 'rejected']),
  reason: z.string().max(500).optional(),
});
/** What the centre says about events it has received; `rejected` means never send them again. */
export type Receipt = z.output<typeof Receipt>;

/** `null` for anything that is no receipt. */
export function parseReceipt(payload: Buffer): Receipt | null {
  if (payload.length > LARGEST) return null;
  try {
    return Receipt.safeParse(JSON.parse(payload.toString('utf8'))).data ?? null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

export const receiptSchema = (): Record<string, unknown> => z.toJSONSchema(Receipt) as Record<string, unknown>;
