import { createHash } from 'node:crypto';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import {
  type Area,
  type AreaDraft,
  type AreaRow,
  audit,
  fine,
  type Plan,
  type PlanPicture,
  type PlanRow,
  type Spot,
  storeArea,
  storePicture,
  storePlan,
  storeSpot,
} from './plan.ts';

/** With 3 MB a picture the database, and each backup of it, grows by 90 MB at most. */
export const MOST_PLANS = 30;
export const MOST_AREAS = 1_000;

/** The plans of the compound and where things are on them. Each change is one transaction with its `plan.changed` entry. */
export class Plans {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #newId: NewId;
  readonly #plans = new Map<string, PlanRow>();
  readonly #areas = new Map<string, Area>();
  readonly #spots = new Map<string, Spot>();
  /** One change after the other: each is checked against the outcome of the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws QuanweiError STORAGE_* */
  constructor(parts: { journal: Journal; clock: Clock; newId: NewId }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#newId = parts.newId;
    for (const plan of this.#journal.select<PlanRow>('SELECT * FROM plans')) this.#plans.set(plan.id, plan);
    for (const row of this.#journal.select<AreaRow>('SELECT * FROM plan_areas')) {
      this.#areas.set(row.id, { ...row, points: JSON.parse(row.points) as Area['points'] });
    }
    for (const spot of this.#journal.select<Spot>('SELECT * FROM plan_devices')) this.#spots.set(spot.device, spot);
  }

  /** In their order. */
  all(): Plan[] {
    return [...this.#plans.values()].sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  }

  areas(plan: string): Area[] {
    return [...this.#areas.values()].filter((area) => area.plan === plan);
  }

  /** Of every device that was ever placed; one that is registered no more has its place kept for its return. */
  spots(): Spot[] {
    return [...this.#spots.values()];
  }

  /** @throws QuanweiError NOT_FOUND */
  get(id: string): Plan {
    return this.#plan(id);
  }

  /** WebP. @throws QuanweiError NOT_FOUND, STORAGE_* */
  picture(id: string): Buffer {
    const [row] = this.#journal.select<{ picture: Buffer }>('SELECT picture FROM plan_pictures WHERE plan = ?', id);
    if (row === undefined) throw noPlan(id);
    return row.picture;
  }

  /** @throws QuanweiError TOO_MANY, STORAGE_* */
  add(name: string, picture: PlanPicture, actor: string): Promise<Plan> {
    return this.#inTurn(async () => {
      if (this.#plans.size >= MOST_PLANS) {
        throw new QuanweiError('TOO_MANY', `最多 ${MOST_PLANS} 张图 · at most ${MOST_PLANS} plans`);
      }
      const rank = Math.max(0, ...[...this.#plans.values()].map((plan) => plan.rank + 1));
      const plan: PlanRow = { id: this.#newId(), name, rank, ...this.#about(picture) };
      await this.#store(audit(actor, plan.id, 'added', { name, sha256: plan.sha256 }), [
        storePlan(plan),
        storePicture(plan.id, picture.bytes),
      ]);
      this.#plans.set(plan.id, plan);
      return plan;
    });
  }

  /** What is placed on it stays where it is. @throws QuanweiError NOT_FOUND, STORAGE_* */
  redraw(id: string, picture: PlanPicture, actor: string): Promise<Plan> {
    return this.#inTurn(async () => {
      const before = this.#plan(id);
      const plan: PlanRow = { ...before, ...this.#about(picture) };
      await this.#store(audit(actor, id, 'redrawn', { sha256: plan.sha256, before: before.sha256 }), [
        storePlan(plan),
        storePicture(id, picture.bytes),
      ]);
      this.#plans.set(id, plan);
      return plan;
    });
  }

  /** @param patch.first puts it in front of all others @throws QuanweiError NOT_FOUND, STORAGE_* */
  change(id: string, patch: { name?: string | undefined; first?: true | undefined }, actor: string): Promise<Plan> {
    return this.#inTurn(async () => {
      const before = this.#plan(id);
      const lowest = Math.min(...[...this.#plans.values()].map(({ rank }) => rank));
      const rank = patch.first === true && before.rank !== lowest ? lowest - 1 : before.rank;
      const plan: PlanRow = { ...before, name: patch.name ?? before.name, rank, changed: this.#clock.wall() };
      if (plan.name === before.name && plan.rank === before.rank) return before;
      const told = { name: plan.name, before: before.name, ...(rank === before.rank ? {} : { first: true }) };
      await this.#store(audit(actor, id, 'changed', told), [storePlan(plan)]);
      this.#plans.set(id, plan);
      return plan;
    });
  }

  /** With all that is on it. @throws QuanweiError NOT_FOUND, STORAGE_* */
  remove(id: string, actor: string, reason: string): Promise<void> {
    return this.#inTurn(async () => {
      const { name } = this.#plan(id);
      const devices = this.spots().filter(({ plan }) => plan === id).length;
      await this.#store(audit(actor, id, 'removed', { name, reason, devices }), [
        ...['plan_pictures', 'plan_devices', 'plan_areas'].map((table) => ({
          sql: `DELETE FROM ${table} WHERE plan = ?`,
          params: [id],
        })),
        { sql: 'UPDATE plan_areas SET opens = NULL WHERE opens = ?', params: [id] },
        { sql: 'DELETE FROM plans WHERE id = ?', params: [id] },
      ]);
      this.#plans.delete(id);
      for (const spot of this.spots()) if (spot.plan === id) this.#spots.delete(spot.device);
      for (const area of [...this.#areas.values()]) {
        if (area.plan === id) this.#areas.delete(area.id);
        else if (area.opens === id) this.#areas.set(area.id, { ...area, opens: null });
      }
    });
  }

  /** Puts a device on a plan, or elsewhere. @throws QuanweiError NOT_FOUND, STORAGE_* */
  place({ device, plan, x, y }: Spot, actor: string): Promise<Spot> {
    return this.#inTurn(async () => {
      this.#plan(plan);
      const spot: Spot = { device, plan, x: fine(x), y: fine(y) };
      const before = this.#spots.get(device) ?? null;
      await this.#store(audit(actor, plan, 'placed', { ...spot, before }), [storeSpot(spot)]);
      this.#spots.set(device, spot);
      return spot;
    });
  }

  /** @throws QuanweiError NOT_FOUND, STORAGE_* */
  takeOff(device: string, actor: string): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#spots.get(device);
      if (before === undefined) throw new QuanweiError('NOT_FOUND', '不在图上 · it is on no plan', { where: device });
      await this.#store(audit(actor, before.plan, 'taken off', { device, before }), [
        { sql: 'DELETE FROM plan_devices WHERE device = ?', params: [device] },
      ]);
      this.#spots.delete(device);
    });
  }

  /** @throws QuanweiError NOT_FOUND, BAD_REQUEST, TOO_MANY, STORAGE_* */
  addArea(plan: string, draft: AreaDraft, actor: string): Promise<Area> {
    return this.#inTurn(async () => {
      if (this.#areas.size >= MOST_AREAS) {
        throw new QuanweiError('TOO_MANY', `最多 ${MOST_AREAS} 个区域 · at most ${MOST_AREAS} areas`);
      }
      return this.#storeArea({ id: this.#newId(), plan, ...draft }, 'area added', actor);
    });
  }

  /** @throws QuanweiError NOT_FOUND, BAD_REQUEST, STORAGE_* */
  changeArea(id: string, draft: AreaDraft, actor: string): Promise<Area> {
    return this.#inTurn(async () => this.#storeArea({ ...this.#area(id), ...draft }, 'area changed', actor));
  }

  /** @throws QuanweiError NOT_FOUND, STORAGE_* */
  removeArea(id: string, actor: string): Promise<void> {
    return this.#inTurn(async () => {
      const area = this.#area(id);
      await this.#store(audit(actor, area.plan, 'area removed', { area }), [
        { sql: 'DELETE FROM plan_areas WHERE id = ?', params: [id] },
      ]);
      this.#areas.delete(id);
    });
  }

  async #storeArea(given: Area, what: string, actor: string): Promise<Area> {
    this.#plan(given.plan);
    if (given.opens !== null) this.#plan(given.opens);
    if (given.opens === given.plan) {
      throw new QuanweiError('BAD_REQUEST', '不能指向所在的图 · an area cannot open the plan it is on', {
        where: 'opens',
      });
    }
    const area: Area = { ...given, points: given.points.map(([x, y]) => [fine(x), fine(y)]) };
    await this.#store(audit(actor, area.plan, what, { area }), [storeArea(area)]);
    this.#areas.set(area.id, area);
    return area;
  }

  #about({ bytes, width, height }: PlanPicture): Pick<Plan, 'width' | 'height' | 'sha256' | 'bytes' | 'changed'> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { width, height, sha256, bytes: bytes.length, changed: this.#clock.wall() };
  }

  #plan(id: string): PlanRow {
    const plan = this.#plans.get(id);
    if (plan === undefined) throw noPlan(id);
    return plan;
  }

  #area(id: string): Area {
    const area = this.#areas.get(id);
    if (area === undefined) throw new QuanweiError('NOT_FOUND', '没有此区域 · there is no such area', { where: id });
    return area;
  }

  async #store(entry: Draft, changes: readonly Change[]): Promise<void> {
    await this.#journal.append([entry], changes);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

const noPlan = (id: string): QuanweiError =>
  new QuanweiError('NOT_FOUND', '没有此平面图 · there is no such plan', { where: id });
