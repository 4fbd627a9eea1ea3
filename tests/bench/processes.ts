import { readdirSync, readFileSync } from 'node:fs';

/** What a process and all under it have used. */
export interface Used {
  /** User and system time of those that live, s */
  readonly cpu: number;
  /** MB, what they share counted once for each of them */
  readonly rss: number;
  /** MB, what they share divided among all that share it */
  readonly pss: number;
}

/** The kernel counts in hundredths of a second. */
const TICK = 0.01;

export function usedByTree(root: number): Used {
  const children = new Map<number, number[]>();
  const times = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    times.set(pid, (Number(fields[11]) + Number(fields[12])) * TICK);
  }
  const all: number[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    all.push(pid);
    open.push(...(children.get(pid) ?? []));
  }
  const sum = (of: (pid: number) => number) => all.reduce((total, pid) => total + of(pid), 0);
  const megabytes = (pid: number, file: string, field: RegExp) =>
    Number(field.exec(read(`/proc/${pid}/${file}`))?.[1] ?? 0) / 1_024;
  return {
    cpu: sum((pid) => times.get(pid) ?? 0),
    rss: sum((pid) => megabytes(pid, 'status', /VmRSS:\s+(\d+)/)),
    pss: sum((pid) => megabytes(pid, 'smaps_rollup', /^Pss:\s+(\d+)/m)),
  };
}

/** Seconds that all cores together have worked since the machine was started. */
export function busyCores(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = (/^cpu\s+(.*)$/m.exec(read('/proc/stat'))?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + soft) * TICK;
}

/** Empty when the process is gone meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return '';
    throw thrown;
  }
}
