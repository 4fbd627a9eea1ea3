import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeProblem } from '../../config/load.ts';
import type { GatewayConfig } from '../../config/schema.ts';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../devices/catalogue.ts';
import { faultsOf } from '../../devices/device-rules.ts';
import { configuredDevice } from '../../devices/file-devices.ts';
import { Roster } from '../../devices/roster.ts';
import { isDoor } from '../../doors/commands.ts';
import { unreleasable } from '../../doors/linkage.ts';
import { directoryInUse } from '../../journal/lock.ts';
import { type Clock, SystemClock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { loadSettings, type Place, type Settings } from '../settings.ts';
import { checkCentre } from './centre.ts';
import { checkCertificates } from './certificates.ts';
import { checkDisk } from './disk.ts';
import type { Finding } from './finding.ts';
import { certificatesOf } from './given-certificates.ts';
import { checkClock, checkMemory, checkNode } from './host.ts';
import { checkJournal } from './journal.ts';
import { addressesOf, checkPorts, type GatewayState, gatewayAnswers } from './ports.ts';
import { checkSettings } from './settings.ts';
import { checkVision } from './vision.ts';

/** Where the configuration is not to be had, the disk is judged by its default. */
const MIN_FREE = 500_000_000;

/** Looks at everything an alarm depends on, in this box and on the way to the centre. Changes nothing. */
export async function examine(place: Place, clock: Clock = new SystemClock()): Promise<Finding[]> {
  const findings: Finding[] = [checkNode(), checkMemory(), ...checkClock(clock)];
  const settings = readConfig(place, findings);
  const data = settings?.config.data ?? (place.data === undefined ? null : resolve(place.data));
  if (data !== null) {
    findings.push(...checkDisk(data, settings?.config.retention.minFree ?? MIN_FREE), ...checkJournal(data));
  }
  if (settings === null) return findings;
  findings.push(checkProfiles(settings));
  const state = await stateOf(settings.config);
  findings.push(STATES[state]);
  // From here on what is in force counts, wherever it was said.
  const inForce = checkSettings(settings.config, state !== 'stopped', clock);
  const { config } = inForce;
  findings.push(...inForce.findings);
  findings.push(...(await checkPorts(addressesOf(config), state)));
  findings.push(...(await checkVision(config, state)));
  findings.push(...checkCertificates(certificatesOf({ ...settings, config }), clock.wall()));
  const centre = inForce.page.some(({ what, problem }) => what === 'upstream' && problem === null) ? 'page' : 'file';
  findings.push(await checkCentre(config.upstream, `quanwei-${config.site.street}-${config.site.id}`, centre));
  return findings;
}

function readConfig(place: Place, findings: Finding[]): Settings | null {
  try {
    const settings = loadSettings(place);
    const { file, config, warnings } = settings;
    findings.push({
      name: 'config',
      verdict: 'good',
      text: {
        zh: `配置有效：${file}（${config.devices.length} 台设备）`,
        en: `Configuration is valid: ${file} (${config.devices.length} devices)`,
      },
      figures: { file, devices: config.devices.length },
    });
    for (const problem of warnings) {
      findings.push({
        name: 'config.warning',
        verdict: 'doubtful',
        text: { zh: `配置建议：${problem.where}`, en: `Configuration: ${describeProblem(problem)}` },
      });
    }
    if ((statSync(file).mode & 0o004) !== 0) {
      findings.push({
        name: 'config.mode',
        verdict: 'doubtful',
        text: { zh: `${file} 所有用户可读`, en: `${file} can be read by every user of this machine` },
        advice: {
          zh: `chmod 640 ${file}，密码用 \${ENV} 引用`,
          en: `chmod 640 ${file}, and keep secrets out of it with \${ENV}`,
        },
      });
    }
    return settings;
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'BAD_USE') throw thrown;
    const said = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
    findings.push({ name: 'config', verdict: 'bad', text: { zh: '配置有误', en: `Configuration: ${said}` } });
    return null;
  }
}

function checkProfiles({ config, locate }: Settings): Finding {
  try {
    const catalogue = loadCatalogue([BUILT_IN_PROFILES, ...config.profiles]);
    const count = catalogue.all().length;
    const roster = new Roster();
    const devices = config.devices.map((device) => configuredDevice(device, null));
    for (const device of devices) roster.put(device);
    const faults = faultsOf(devices, roster, catalogue, locate);
    // What is wrong itself is told once.
    const opens = (id: string): boolean => {
      const device = roster.get(id);
      return (
        device === null || faults.some((fault) => fault.id === id) || isDoor(catalogue.get(device.profile), device)
      );
    };
    const closed = unreleasable(config.alarms.fireReleases, opens, locate);
    const wrong = [...faults, ...closed.map(({ where, message: what, hint }) => ({ where, what, hint }))];
    const said = (half: 0 | 1) =>
      wrong.map(({ where, what }) => `${where}: ${what.split(' · ')[half] ?? what}`).join('; ');
    return wrong.length === 0
      ? {
          name: 'profiles',
          verdict: 'good',
          text: { zh: `设备模板有效：${count} 个`, en: `Device profiles are valid: ${count}` },
          figures: { profiles: count },
        }
      : {
          name: 'profiles',
          verdict: 'bad',
          text: { zh: `设备配置有误：${said(0)}`, en: `Devices that cannot work: ${said(1)}` },
          figures: { profiles: count, devicesWrong: wrong.length },
          advice: {
            zh: `${wrong[0]?.hint ?? ''}；见 docs/adding-a-device.md`,
            en: `${wrong[0]?.hint ?? ''}; see docs/adding-a-device.md`,
          },
        };
  } catch (thrown) {
    const said = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
    return {
      name: 'profiles',
      verdict: 'bad',
      text: { zh: '设备模板有误', en: `Device profiles: ${said}` },
      advice: { zh: 'quanwei profile test FILE 逐条列出', en: 'quanwei profile test FILE lists every mistake' },
    };
  }
}

async function stateOf(config: GatewayConfig): Promise<GatewayState> {
  if (!directoryInUse(config.data)) return 'stopped';
  const { running, healthy } = await gatewayAnswers(config);
  return healthy ? 'healthy' : running ? 'unwell' : 'silent';
}

const STATES: Readonly<Record<GatewayState, Finding>> = {
  stopped: {
    name: 'gateway',
    verdict: 'doubtful',
    text: { zh: '网关没有运行', en: 'The gateway is not running' },
    figures: { state: 'stopped' },
  },
  healthy: {
    name: 'gateway',
    verdict: 'good',
    text: { zh: '网关运行正常', en: 'The gateway runs and can store alarms' },
    figures: { state: 'healthy' },
  },
  unwell: {
    name: 'gateway',
    verdict: 'bad',
    text: { zh: '网关在运行，但现在不能保存报警', en: 'The gateway runs but cannot store alarms now' },
    figures: { state: 'unwell' },
    advice: { zh: '先看磁盘和日志的检查结果', en: 'look at the disk and the journal first' },
  },
  silent: {
    name: 'gateway',
    verdict: 'doubtful',
    text: { zh: '网关在运行，但网页不在配置的地址上', en: 'The gateway runs, but not with this configuration' },
    figures: { state: 'silent' },
    advice: { zh: '改过配置的话，请重启网关', en: 'if the configuration was changed, restart the gateway' },
  },
};
