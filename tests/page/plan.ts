import sharp from 'sharp';
import type { Person } from '../api/box.ts';

/** The plan of a compound as a property manager has it: black lines on white. */
export function planDrawing(width = 1600, height = 1000): Promise<Buffer> {
  const houses = [0, 1, 2, 3, 4, 5].map((n) => {
    const [x, y] = [150 + (n % 3) * 460, 150 + Math.floor(n / 3) * 430];
    return `<rect x="${x}" y="${y}" width="330" height="190" fill="#f3efe6" stroke="#333" stroke-width="4"/>
      <path d="M${x + 110} ${y}v190M${x + 220} ${y}v190" stroke="#888" stroke-width="2"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1600 1000" width="${width}" height="${height}">
    <rect width="1600" height="1000" fill="#fff"/>
    <rect x="40" y="40" width="1520" height="920" rx="30" fill="#eaf2e4" stroke="#222" stroke-width="8"/>
    <path d="M40 470h1520M570 40v920M1040 40v920" stroke="#d6d2c8" stroke-width="46"/>
    <ellipse cx="800" cy="470" rx="120" ry="60" fill="#cfe3ee" stroke="#7aa" stroke-width="3"/>${houses.join('')}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** A plan on the box, as a manager's upload makes it. @returns its id */
export async function addPlan(person: Person, name: string): Promise<string> {
  const answer = await fetch(`${person.base}/api/plans?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    headers: { cookie: person.cookie, 'content-type': 'image/png' },
    body: new Uint8Array(await planDrawing()),
  });
  if (answer.status !== 200) throw new Error(`the plan was answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

/** Detectors behind one hub, as configuration. */
export const detectors = (count: number, name = (n: number) => `${n} 号烟感`) => [
  { id: 'hub', profile: 'zigbee2mqtt-hub', name: '无线中心', secret: 'secret-of-the-hub' },
  ...Array.from({ length: count }, (_, n) => ({
    id: `smoke-${n}`,
    profile: 'zigbee-smoke-gas',
    name: name(n),
    place: `${(n % 6) + 1}号楼/${(n % 18) + 1}层`,
    hub: 'hub',
  })),
];

/** Puts the detectors of `detectors` in rows over the whole plan. */
export async function placeAll(person: Person, plan: string, count: number): Promise<void> {
  const columns = Math.ceil(Math.sqrt(count * 1.6));
  const rows = Math.ceil(count / columns);
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      person.ask('PUT', `/api/spots/smoke-${n}`, {
        plan,
        x: 0.05 + (0.9 * (n % columns)) / columns,
        y: 0.05 + (0.9 * Math.floor(n / columns)) / rows,
      }),
    ),
  );
  const refused = answers.find(({ status }) => status !== 200);
  if (refused !== undefined) throw new Error(`a detector was not placed: ${JSON.stringify(refused.body)}`);
}
