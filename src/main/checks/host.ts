import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Clock } from '../../kernel/clock.ts';
import { iso } from '../../kernel/clock.ts';
import type { Finding } from './finding.ts';

const NODE_NEEDED: readonly [number, number] = [20, 19];

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1]);
  const needed = NODE_NEEDED.join('.');
  return {
    name: 'node',
    verdict: good ? 'good' : 'bad',
    text: { zh: `Node ${version}`, en: `Node ${version}` },
    figures: { version },
    ...(good ? {} : { advice: { zh: `升级到 ${needed} 或更新`, en: `install Node ${needed} or newer` } }),
  };
}

const MB = 1_000_000;
/** The gateway itself stays below 120 MB; the rest is for the system, the disk cache and a second process. */
const MEMORY_BAD = 100 * MB;
const MEMORY_DOUBTFUL = 300 * MB;

export function checkMemory(meminfo = readFileSync('/proc/meminfo', 'utf8')): Finding {
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1_024;
  const total = Number(/^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? totalmem() / 1_024) * 1_024;
  const verdict = available < MEMORY_BAD ? 'bad' : available < MEMORY_DOUBTFUL ? 'doubtful' : 'good';
  const [free, all] = [Math.round(available / MB), Math.round(total / MB)];
  return {
    name: 'memory',
    verdict,
    text: { zh: `内存：可用 ${free} MB，共 ${all} MB`, en: `Memory: ${free} MB available of ${all} MB` },
    figures: { availableBytes: available, totalBytes: total },
    ...(verdict === 'good' ? {} : { advice: { zh: '关闭其他程序或加内存', en: 'stop other programs, or add memory' } }),
  };
}

/** Whether times in the record can be believed, now and after the next power cut. */
export function checkClock(clock: Clock, batteryClock = existsSync('/dev/rtc0')): Finding[] {
  const synced = clock.state() === 'synced';
  const now = iso(clock.wall());
  return [
    {
      name: 'clock.synced',
      verdict: synced ? 'good' : 'doubtful',
      text: synced
        ? { zh: `时钟已同步：${now}`, en: `Clock is set from a trusted source: ${now}` }
        : { zh: `时钟未同步：${now}`, en: `Clock has not been set from a trusted source: ${now}` },
      figures: { synced, now },
      ...(synced
        ? {}
        : {
            advice: {
              zh: '启用 systemd-timesyncd 或 chrony，并填写可达的 NTP 服务器',
              en: 'run systemd-timesyncd or chrony with an NTP server this box can reach',
            },
          }),
    },
    {
      name: 'clock.battery',
      verdict: batteryClock ? 'good' : 'doubtful',
      text: batteryClock
        ? { zh: '有带电池的硬件时钟', en: 'There is a hardware clock' }
        : { zh: '没有硬件时钟', en: 'There is no hardware clock' },
      figures: { batteryClock },
      ...(batteryClock
        ? {}
        : {
            advice: {
              zh: '断网又断电后时间会错，直到重新联网；事件仍会保存并标为“未同步”',
              en: 'after a power cut without network the time is wrong until NTP answers; entries are kept and marked unsynced',
            },
          }),
    },
  ];
}
