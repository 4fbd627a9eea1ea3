import { onTestFinished } from 'vitest';
import type { Board } from '../../src/alarms/board.ts';
import type { ApiParts } from '../../src/api/ports.ts';
import { Broker } from '../../src/broker/broker.ts';
import type { GatewayConfig } from '../../src/config/schema.ts';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../src/devices/catalogue.ts';
import { Registry } from '../../src/devices/registry.ts';
import { Doors } from '../../src/doors/commands.ts';
import { Intake } from '../../src/intake/intake.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { NewId } from '../../src/kernel/ids.ts';
import type { Log } from '../../src/kernel/log.ts';

interface Around {
  readonly journal: Journal;
  readonly board: Board;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
}

const catalogue = loadCatalogue([BUILT_IN_PROFILES]);

/** The rooms below the API as they are shipped: registry, broker on its own port, intake, doors. */
export async function devices(
  around: Around,
): Promise<Pick<ApiParts, 'registry' | 'doors' | 'broker' | 'catalogue'> & { close(): Promise<void> }> {
  const { journal, board, config, clock, log, newId } = around;
  const registry = await Registry.load({ journal, catalogue, config, clock, log });
  const links: { broker: Broker | null; doors: Doors | null } = { broker: null, doors: null };
  const { timezone } = config.site;
  const intake = new Intake(
    { journal, board, catalogue, registry, timezone, clock, log, newId },
    () => links.broker,
    () => links.doors,
  );
  const broker = await Broker.start({
    config: config.mqtt,
    intake,
    registry,
    catalogue,
    journal,
    log,
    clock,
    ca: null,
  });
  links.broker = broker;
  const doors = new Doors({ journal, registry, catalogue, link: broker, timezone, clock, log, newId });
  links.doors = doors;
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await broker.close();
    await registry.close();
  };
  onTestFinished(close);
  return { registry, broker, doors, catalogue, close };
}
