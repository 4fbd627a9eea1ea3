import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyHash } from '../../src/journal/chain.ts';
import { Packer, unpack, type WireEntry, type WireRequest } from '../../src/journal/wire.ts';

const entry = (body: string, lane: number | null): WireEntry => ({
  head: {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    kind: 'message',
    actor: 'device:门-1',
    subject: lane === null ? null : 'door-1',
    wall: 1_780_000_000_000,
    mono: 12,
    clock: lane === null ? 'unsynced' : 'synced',
    deviceTime: lane === null ? null : 1_780_000_000_001,
    lane,
  },
  key: lane === null ? null : '00112233445566778899aabbccddeeff',
  body,
});
const request = (n: number, entries: WireEntry[]): WireRequest => ({ n, entries, changes: [], erase: [n], remove: [] });

test('what is packed arrives as it was, its bodies as bytes with the same hash', () => {
  const packer = new Packer();
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  );
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(body, fc.constantFrom(0, 2, null)))), (sent) => {
      const made = () =>
        sent.map((entries, n) =>
          request(
            n,
            entries.map(([text, lane]) => entry(text, lane)),
          ),
        );
      const arrived = unpack(structuredClone(packer.pack(made())));
      expect(arrived.flatMap(({ entries }) => entries.map(({ body: bytes }) => bodyHash(bytes)))).toEqual(
        sent.flat().map(([text]) => bodyHash(text)),
      );
      const asText = arrived.map(({ entries, ...rest }) => ({
        ...rest,
        entries: entries.map((one) => ({ ...one, body: one.body.toString() })),
      }));
      expect(asText).toEqual(made());
    }),
  );
});

test('a parcel of many megabytes arrives whole, and so does the next small one', () => {
  const packer = new Packer();
  const bodies = Array.from({ length: 40 }, (_, n) => JSON.stringify(String.fromCodePoint(0x4e00 + n).repeat(100_000)));
  for (const sent of [bodies, ['1'], bodies.slice(3)]) {
    const [arrived] = unpack(
      packer.pack([
        request(
          1,
          sent.map((body) => entry(body, null)),
        ),
      ]),
    );
    expect(arrived?.entries.map(({ body }) => body.toString())).toEqual(sent);
  }
});

test('bodies that have been packed are held no longer', () => {
  const one = entry('"a body"', null);
  new Packer().pack([request(1, [one])]);
  expect(one.body).toBe('');
});
