import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { model, faces as samples } from '../support/vision-material.ts';
import { VisionProcess } from '../support/vision-process.ts';
import { device, eventually, gatewayOf, login } from './compound.ts';

/** Around a face of sample1.jpg and one of sample4.jpg. */
const LI = { left: 330, top: 270, width: 340, height: 400 };
const WANG = { left: 900, top: 100, width: 340, height: 400 };
const DOOR = '1026700';

interface Told {
  readonly device: string;
  readonly category: string;
  readonly detail: Record<string, unknown>;
}

test('a face door’s picture is compared with those who are enrolled, opens nothing and is found nowhere afterwards; without the vision process the door’s messages go on', async () => {
  for (const id of ['fr_detect', 'fr_landmark', 'fr_feature', 'fr_liveness']) await model(id);
  const [first, , , fourth] = await samples();
  const enrolled = join(dataDir(), 'li.jpg');
  await sharp(first).extract(LI).jpeg({ quality: 88 }).toFile(enrolled);
  const li = await sharp(first).extract(LI).modulate({ brightness: 0.85 }).resize(260).jpeg().toBuffer();
  const wang = await sharp(fourth).extract(WANG).jpeg().toBuffer();

  const gateway = await gatewayOf({
    devices: [device(DOOR, 'face-oem-mqtt', { place: '南门' })],
    vision: { listen: `http://127.0.0.1:${await freePort()}`, doorPictures: true },
  });
  const done = await gateway.run('enrol', '--data', gateway.data, '--person', '1001', '--consent', 'form-7', enrolled);
  expect(done.code, done.stderr).toBe(0);
  await gateway.start();
  const vision = new VisionProcess(gateway);
  await vision.start();
  await eventually(() => vision.output.includes('logged in to the gateway'), 'the vision process is there');

  const door = await login(gateway, DOOR);
  let record = 0;
  const push = async (picture: Buffer, more: Record<string, unknown> = {}): Promise<void> => {
    record += 1;
    const time = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    const pic = `data:image/jpeg;base64,${picture.toString('base64')}`;
    const info = {
      facesluiceId: DOOR,
      RecordID: record,
      VerifyStatus: 1,
      PersonType: 0,
      time,
      Sendintime: 1,
      PushType: 0,
    };
    const payload = { operator: 'RecPush', info: { ...info, persionName: '李', ...more, pic } };
    await door.published(`mqtt/face/${DOOR}/Rec`, JSON.stringify(payload));
  };
  const told = async (): Promise<Told[]> =>
    (await gateway.entries('message')).flatMap(({ subject, body }) =>
      subject === 'vision-1' && body['message'] === 'door' ? (body['events'] as Told[]) : [],
    );

  // A record that was kept while the network was away: who it was then is not asked.
  await push(li, { Sendintime: 0 });
  await push(wang);
  await eventually(async () => (await told()).length > 0, 'the first answer');
  await push(Buffer.from('no picture at all'));
  await push(li);
  const answers = await eventually(async () => {
    const all = await told();
    return all.length >= 2 ? all : null;
  }, 'the second answer');
  expect(answers.map(({ category, detail }) => [category, detail['door'], detail['person']])).toEqual([
    ['access.stranger', DOOR, undefined],
    ['access.seen', DOOR, '1001'],
  ]);
  expect(answers[1]?.detail['similarity']).toBeGreaterThan(0.8);
  expect(answers[1]?.detail['margin']).toBeGreaterThan(0.05);
  expect(await gateway.entries('door.command')).toEqual([]);
  const metrics = async (what: string): Promise<number> => {
    const page = await fetch(`http://127.0.0.1:${gateway.ports.http}/metrics`);
    return Number(new RegExp(`intake\\S*what="${what}"\\S* (\\d+)`).exec(await page.text())?.[1]);
  };
  expect(await metrics('pictures')).toBe(3);

  await vision.end('SIGKILL');
  await push(li);
  await eventually(async () => (await metrics('picturesFailed')) === 1, 'the picture that nobody took is counted');
  expect((await gateway.entries('message')).filter(({ subject }) => subject === DOOR)).toHaveLength(record);

  await gateway.stop();
  const everything = readdirSync(gateway.data, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name)));
  expect(everything.length).toBeGreaterThan(2);
  for (const picture of [li, wang]) {
    // Thirty bytes out of its middle, on a border of base64.
    const part = picture.subarray(3_000, 3_030);
    for (const needle of [part, part.toString('base64')]) {
      expect(everything.some((bytes) => bytes.includes(needle))).toBe(false);
    }
  }
}, 120_000);
