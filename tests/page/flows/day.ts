import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canBrowse, closeBrowser, open, type Visit } from '../browser.ts';
import { Compound } from './compound.ts';
import * as devices from './devices.ts';
import * as duty from './duty.ts';
import * as house from './house.ts';
import * as places from './places.ts';
import * as records from './records.ts';
import { type Look, SHOTS, type Visitor } from './visitor.ts';

/** In the order of a day: one goes on where the other ended. */
const FLOWS: readonly (readonly [behaviour: string, flow: (visitor: Visitor) => Promise<void>])[] = [
  ['the guard signs in, and is heard from then on', duty.entering],
  ['what somebody rings up about is written down', duty.reported],
  ['the button takes the screen, the doors open, the centre knows; step by step it is brought to its end', duty.fire],
  ['and is a document on paper', duty.document],
  ['a door that was not forced is a false alarm', duty.mistaken],
  ['one is shelved, another raised in level, and the first goes into the other', duty.sorted],
  ['a drill is one to the end', duty.drilled],
  ['what a rule of a camera is called is text, on the board, on the wall and on its page', places.climbed],
  ['on the map a door is placed, flashes where it is, and leads to its alarm', places.mapped],
  ['a camera plays; in its room a fence is drawn, undone, saved', places.fenced],
  ['a door opens because the guard says why, and who passed is found', places.opened],
  ['a device is added by its model, logs in with what the page told, and is in the list', devices.added],
  ['it is tried out: practice, and read raw, decoded and as what came of it', devices.tried],
  ['one that spoke unasked is registered as what it looks like', devices.found],
  ['the ledger finds it, and goes into a table and a workbook', records.searched],
  ['the reports add it up', records.summed],
  ['the centre goes and comes, misses nothing, and orders', records.centred],
  ['what nobody took has gone up', duty.escalated],
  ['the first start is gone through', house.welcomed],
  ['every part of the settings is changed', house.set],
  ['backup, certificates, the chain, language', house.kept],
  ['accounts come and go; all of it is on record', house.hired],
];

/** Every flow, in each of the looks, with one gateway, a centre and devices that speak MQTT. */
export function day(looks: readonly Look[]): void {
  describe.runIf(canBrowse())('with the gateway, a centre and devices that speak MQTT', () => {
    let compound: Compound;

    beforeAll(async () => {
      compound = await Compound.open();
    }, 60_000);
    afterAll(async () => {
      await compound?.close();
      await closeBrowser();
      console.info(`pictures of every step: ${SHOTS}`);
    });

    describe.each(looks)('$size.width × $size.height, $language, $theme:', (look) => {
      const visits: Visit[] = [];
      let visitor: Visitor;

      beforeAll(async () => {
        const guard = await open(compound.base, { ...look, keeps: true });
        visits.push(guard);
        const admin = await open(compound.base, { ...look, cookie: compound.admin.cookie });
        visits.push(admin);
        await admin.page.waitForSelector('[data-pill=live].good');
        visitor = { compound, look, guard: guard.page, admin: admin.page };
      });
      afterAll(async () => {
        for (const visit of visits) await visit.close();
      });

      test.each(FLOWS)('%s', async (_, flow) => {
        await flow(visitor);
        for (const { complaints } of visits) expect(complaints).toEqual([]);
      });
    });
  });
}
