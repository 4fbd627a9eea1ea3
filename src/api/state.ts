import { z } from 'zod';
import type { ApiParts } from './ports.ts';

/** What everybody who looks at the page must know at once; goes out with every heartbeat of the live stream. */
export const GatewayState = z
  .object({
    now: z.number().describe('Wall clock of the box, ms since the epoch'),
    head: z.int().describe('Newest seq of the journal'),
    storage: z.object({
      ok: z.boolean(),
      problem: z.string().nullable(),
      freeBytes: z.number(),
      low: z.boolean(),
    }),
    clock: z.enum(['synced', 'unsynced']),
    upstream: z
      .object({ connected: z.boolean(), oldestAlarmMs: z.number() })
      .nullable()
      .describe('`null` when no centre is configured'),
  })
  .meta({ id: 'State' });

export function stateOf({ journal, bridge, clock, config }: ApiParts): z.output<typeof GatewayState> {
  const storage = journal.state();
  const upstream = bridge?.state();
  return {
    now: clock.wall(),
    head: journal.head(),
    storage: {
      ok: storage.ok && storage.damage === null,
      problem: storage.damage ?? (storage.error === null ? null : storage.error.message),
      freeBytes: storage.freeBytes,
      low: storage.freeBytes < config.retention.minFree,
    },
    clock: clock.state(),
    upstream: upstream === undefined ? null : { connected: upstream.connected, oldestAlarmMs: upstream.oldestAlarmMs },
  };
}
