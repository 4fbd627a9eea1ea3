import { isDeepStrictEqual } from 'node:util';
import { defaultGrade, Grading } from '../alarms/grading.ts';
import type { SectionKey } from '../config/page-settings.ts';
import type { AlarmsConfig, GatewayConfig } from '../config/schema.ts';
import { CATEGORIES, type Category } from '../devices/event.ts';
import { QuanweiError } from '../kernel/errors.ts';

type Rules = AlarmsConfig['rules'];

/**
 * What the form of a section cannot tell.
 * @param file its own rules are the installer's word and may stay
 * @throws QuanweiError BAD_REQUEST with the field
 */
export function refuseUnmeant(key: SectionKey, parsed: Record<string, unknown> | null, file: GatewayConfig): void {
  if (key === 'rules') checkRules(parsed?.['rules'] as Rules, file.alarms.rules);
  if (key === 'quiet') checkQuiet(parsed?.['quiet'] as AlarmsConfig['quiet']);
  if (key === 'upstream') checkAddress(String(parsed?.['url'] ?? ''));
}

function checkRules(rules: Rules, installed: Rules): void {
  rules.forEach((rule, i) => {
    const refuse = (message: string) => new QuanweiError('BAD_REQUEST', message, { where: `rules.${i}` });
    let alone: Grading;
    try {
      // Whatever else it asks for: what could it do to each category where all of that holds?
      const when = rule.when.category === undefined ? {} : { category: rule.when.category };
      alone = new Grading({ rules: [{ ...rule, when }], timezone: 'UTC', lifeSafety: () => true });
    } catch (thrown) {
      if (!(thrown instanceof QuanweiError && thrown.code === 'BAD_CONFIG')) throw thrown;
      throw refuse(`规则「${rule.name}」不成立 · ${thrown.message}`);
    }
    if (installed.some((one) => isDeepStrictEqual(one, rule))) return;
    const named = rule.when.device !== undefined && !rule.when.device.endsWith('*');
    for (const category of Object.keys(CATEGORIES) as Category[]) {
      const [plain, lifeSafety] = defaultGrade(category);
      // A call point that says nothing will not call: who lowers that has to say which one is meant.
      const hangsOnIt = CATEGORIES[category].lifeSafety || (plain !== lifeSafety && !named);
      if (!hangsOnIt) continue;
      const grade = alone.grade({ category, device: '', place: '', at: 0 });
      if ((grade ?? 5) <= (lifeSafety ?? 5)) continue;
      const { zh, en } = CATEGORIES[category];
      throw refuse(
        `规则「${rule.name}」会降低「${zh}」的级别，网页上不允许；请限定类别或一台设备 · rule “${rule.name}” would lower ${en}; not from the page: name a category, or one device`,
      );
    }
  });
}

function checkQuiet(quiet: AlarmsConfig['quiet']): void {
  if (quiet === undefined) return;
  if (quiet.between[0] === quiet.between[1]) {
    throw new QuanweiError('BAD_REQUEST', '开始与结束不能相同 · it must end at another time than it begins', {
      where: 'quiet.between',
    });
  }
  if (new Set(quiet.levels).size !== quiet.levels.length) {
    throw new QuanweiError('BAD_REQUEST', '级别重复 · a level is named twice', { where: 'quiet.levels' });
  }
}

function checkAddress(url: string): void {
  if (url === '') return;
  if (/^\w+:\/\/[^/]*@/.test(url)) {
    throw new QuanweiError(
      'BAD_REQUEST',
      '用户名和密码请填在各自的栏里 · put name and password into their own fields',
      {
        where: 'url',
      },
    );
  }
  if (!URL.canParse(url) || new URL(url).hostname === '') {
    throw new QuanweiError('BAD_REQUEST', '不是有效的地址，例如 mqtts://centre.example:8883 · not an address', {
      where: 'url',
    });
  }
}
