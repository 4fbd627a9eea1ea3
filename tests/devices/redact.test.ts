import { expect, test } from 'vitest';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../src/devices/catalogue.ts';
import { keptBytes } from '../../src/devices/redact.ts';

const door = loadCatalogue([BUILT_IN_PROFILES]).get('face-oem-mqtt');
const PICTURE = `data:image/jpeg;base64,${'/9j4'.repeat(2_000)}`;
const record = (name: Buffer, tail = '') =>
  Buffer.concat([
    Buffer.from('{"operator":"RecPush","info":{"personName":"'),
    name,
    Buffer.from(`","idCard": "110101199001011234","telnum":"13800000000","RecordID":"7","pic":"${PICTURE}"}${tail}}`),
  ]);

test.each([
  ['as it should be', record(Buffer.from('李四'))],
  ['in another encoding', record(Buffer.from([0xc0, 0xee, 0xcb, 0xc4]))],
  ['with a comma too many', record(Buffer.from('李四'), ',')],
  ['cut off in the middle of the number', record(Buffer.from('李四')).subarray(0, 92)],
])('what nobody could decode, %s: kept without number, telephone and picture', (_, payload) => {
  const kept = keptBytes(door, payload).toString('latin1');
  expect(kept).toContain('RecPush');
  for (const secret of ['110101199', '13800000000', '/9j4/9j4']) expect(kept).not.toContain(secret);
});

test.each(['/9j4', '\\/9j4'])(
  'a picture under a name nobody declared is taken out as well, its slashes as %s',
  (bytes) => {
    const broken = Buffer.from(`{"operator":"X","photoOfTheDay":"${bytes.repeat(2_000)}",}`);
    expect(keptBytes(door, broken).toString()).toMatch(/"photoOfTheDay":"\[\d+ characters\]",\}$/);
  },
);

test('what is no JSON at all is kept byte for byte', () => {
  const noise = Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 37) % 256));
  expect(keptBytes(door, noise).equals(noise)).toBe(true);
});
