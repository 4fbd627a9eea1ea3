import type { Category, Detail } from '../../src/devices/event.ts';
import { event } from '../alarms/site.ts';
import type { Box } from './box.ts';

/** A message of a door, as the intake keeps it. */
export const doorMessage = (box: Box, door: string, category: Category, detail: Detail, active = true) =>
  box.journal.append([
    {
      kind: 'message',
      actor: `device:${door}`,
      subject: door,
      lane: 2,
      body: {
        topic: 't',
        message: 'm',
        events: [event(door, category, { detail, active })],
        raw: '{}',
      },
    },
  ]);
