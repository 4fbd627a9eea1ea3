import { Bridge } from '../../src/upstream/bridge.ts';
import type { OrderHandlers } from '../../src/upstream/orders.ts';
import { noHandlers, SITE, silent, upstreamConfig } from '../upstream/box.ts';
import type { Centre } from '../upstream/centre.ts';
import type { BoxOptions } from './box.ts';

/** A box that reports to this centre. */
export const reportingTo = (
  centre: Centre,
  { confirm = 'receipt', orders = noHandlers }: { confirm?: 'broker' | 'receipt'; orders?: OrderHandlers } = {},
): BoxOptions & { settings: Record<string, unknown> } => ({
  settings: { upstream: { url: centre.url, confirm } },
  bridge: (journal, clock) =>
    new Bridge({
      ...{ journal, clock, orders, site: SITE, log: silent, random: Math.random },
      config: upstreamConfig({ url: centre.url, confirm }),
    }),
});
