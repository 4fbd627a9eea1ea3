import { closeSync, existsSync, fsyncSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../kernel/errors.ts';
import type { Finding } from './finding.ts';

interface FileSystem {
  readonly name: string;
  readonly unfit?: { readonly zh: string; readonly en: string };
  readonly fatal?: true;
}

const NETWORK = { zh: '网络文件系统不能保证掉电安全', en: 'a network file system does not survive power cuts safely' };
const NO_UNIX = { zh: '不支持权限和可靠写入', en: 'it has no permissions and no reliable writes' };
const VOLATILE = { zh: '断电即丢失', en: 'it is gone when the power is' };

/** `statfs(2)` magic numbers, from linux/magic.h and the drivers that keep their own. */
const FILE_SYSTEMS: Readonly<Record<number, FileSystem>> = {
  61267: { name: 'ext4' }, // 0xef53
  1481003842: { name: 'xfs' }, // 0x58465342
  2435016766: { name: 'btrfs' }, // 0x9123683e
  4076150800: { name: 'f2fs' }, // 0xf2f52010
  801189825: { name: 'zfs' }, // 0x2fc12fc1
  2035054128: { name: 'overlay' }, // 0x794c7630
  16914836: { name: 'tmpfs', unfit: VOLATILE, fatal: true }, // 0x01021994
  2240043254: { name: 'ramfs', unfit: VOLATILE, fatal: true }, // 0x858458f6
  26985: { name: 'nfs', unfit: NETWORK, fatal: true }, // 0x6969
  4283649346: { name: 'cifs', unfit: NETWORK, fatal: true }, // 0xff534d42
  4266872130: { name: 'smb2', unfit: NETWORK, fatal: true }, // 0xfe534d42
  1702057286: { name: 'fuse', unfit: { zh: '用户态文件系统', en: 'a file system in user space' } }, // 0x65735546
  19780: { name: 'vfat', unfit: NO_UNIX, fatal: true }, // 0x4d44
  538032816: { name: 'exfat', unfit: NO_UNIX, fatal: true }, // 0x2011bab0
};

const GB = 1_000_000_000;
const gb = (bytes: number): string => `${(bytes / GB).toFixed(1)} GB`;

/**
 * Room, kind of file system, and how long the disk takes to make a write safe.
 * @param minFree bytes below which the gateway raises an alarm (`retention.minFree`)
 */
export function checkDisk(dir: string, minFree: number): Finding[] {
  const there = nearest(dir);
  const { type, bavail, bsize, files, ffree } = statfsSync(there);
  return [space(there, bavail * bsize, minFree, files === 0 ? 1 : ffree / files), kindOf(there, type), speed(there)];
}

function space(dir: string, free: number, minFree: number, freeInodes: number): Finding {
  const verdict =
    free < minFree || freeInodes < 0.01 ? 'bad' : free < 2 * minFree || freeInodes < 0.05 ? 'doubtful' : 'good';
  return {
    name: 'disk.space',
    verdict,
    text: { zh: `磁盘：${dir} 剩余 ${gb(free)}`, en: `Disk: ${gb(free)} free at ${dir}` },
    figures: { freeBytes: free, minFreeBytes: minFree, freeInodesPercent: Math.round(freeInodes * 100) },
    ...(verdict === 'good'
      ? {}
      : {
          advice: {
            zh: `至少留出 ${gb(2 * minFree)}；低于 ${gb(minFree)} 时最低级别的记录会先被清理`,
            en: `keep at least ${gb(2 * minFree)}; below ${gb(minFree)} the least important records are removed first`,
          },
        }),
  };
}

function kindOf(dir: string, type: number): Finding {
  const known = FILE_SYSTEMS[type];
  const name = known?.name ?? `0x${type.toString(16)}`;
  const unfit = known?.unfit;
  return {
    name: 'disk.filesystem',
    verdict: known?.fatal === true ? 'bad' : known === undefined || unfit !== undefined ? 'doubtful' : 'good',
    text: {
      zh: `文件系统：${name}${unfit === undefined ? '' : `，${unfit.zh}`}`,
      en: `File system: ${name}${unfit === undefined ? '' : `, ${unfit.en}`}`,
    },
    figures: { dir, type: name },
    ...(known !== undefined && unfit === undefined
      ? {}
      : {
          advice: {
            zh: '把数据目录放到本机的 ext4 或 xfs 磁盘上',
            en: 'put the data directory on a local ext4 or xfs disk',
          },
        }),
  };
}

const WRITES = 9;
const SLOW_MS = 50;

function speed(dir: string): Finding {
  const file = join(dir, `.quanwei-check-${process.pid}`);
  const block = Buffer.alloc(4_096, 1);
  try {
    const handle = openSync(file, 'wx', 0o600);
    const took: number[] = [];
    try {
      for (let i = 0; i < WRITES; i += 1) {
        const began = performance.now();
        writeSync(handle, block);
        fsyncSync(handle);
        took.push(performance.now() - began);
      }
    } finally {
      closeSync(handle);
      unlinkSync(file);
    }
    const median = took.sort((a, b) => a - b)[Math.floor(WRITES / 2)] as number;
    const slow = median > SLOW_MS;
    const ms = median.toFixed(1);
    return {
      name: 'disk.speed',
      verdict: slow ? 'doubtful' : 'good',
      text: { zh: `可靠写入一次 ${ms} ms`, en: `One durable write takes ${ms} ms` },
      figures: { medianMs: Number(ms) },
      ...(slow
        ? {
            advice: {
              zh: '磁盘偏慢：每条报警的确认都要等它；建议换固态盘',
              en: 'every acknowledgement waits this long; a better disk helps',
            },
          }
        : {}),
    };
  } catch (thrown) {
    return {
      name: 'disk.speed',
      verdict: 'bad',
      text: { zh: `不能写入 ${dir}`, en: `Cannot write to ${dir}: ${messageOf(thrown)}` },
      advice: {
        zh: '以 quanwei 用户运行，并检查目录权限',
        en: 'run this as the gateway’s user; check the directory’s owner',
      },
    };
  }
}

/** The directory itself, or the nearest one above it that exists already. */
function nearest(dir: string): string {
  return existsSync(dir) || dirname(dir) === dir ? dir : nearest(dirname(dir));
}
