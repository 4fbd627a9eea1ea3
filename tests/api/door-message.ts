import type { Box } from './box.ts';

/** A message of a door, as the intake keeps it. */
export const doorMessage = (box: Box, door: string, category: string, detail: Record<string, unknown>) =>
  box.journal.append([
    {
      kind: 'message',
      actor: `device:${door}`,
      subject: door,
      lane: 2,
      body: {
        topic: 't',
        message: 'm',
        events: [
          {
            device: door,
            category,
            kind: 'pulse',
            active: true,
            replayed: false,
            test: false,
            deviceTime: null,
            detail,
          },
        ],
        raw: '{}',
      },
    },
  ]);
