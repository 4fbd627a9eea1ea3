import type { GatewayConfig } from '../../config/schema.ts';
import { type Clock, iso } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { type SetOnPage, settingsInForce } from '../settings-in-force.ts';
import type { Finding } from './finding.ts';

/**
 * What was set on the page holds over the file; whoever reads the file has to know.
 * @param running whether there is a gateway that may still work with what was before
 * @returns the configuration that all else is to be judged by, and a finding for each part that is not the file's
 */
export function checkSettings(
  file: GatewayConfig,
  running: boolean,
  clock: Clock,
): { config: GatewayConfig; page: readonly SetOnPage[]; findings: Finding[] } {
  try {
    const { config, page } = settingsInForce(file, clock);
    return { config, page, findings: page.map((one) => finding(one, running)) };
  } catch (thrown) {
    const said = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
    return {
      config: file,
      page: [],
      findings: [
        {
          name: 'settings',
          verdict: 'doubtful',
          text: {
            zh: '网页上改过的设置读不出来，以下按配置文件检查',
            en: `What was set on the page cannot be read, the file is judged by: ${said}`,
          },
        },
      ],
    };
  }
}

/** Who it was stays here: findings go into the support bundle. */
function finding({ what, changed, problem, waits }: SetOnPage, running: boolean): Finding {
  const name = `settings.${what.replace(' ', '.')}`;
  const figures = { source: 'page', changed: iso(changed) };
  if (problem !== null) {
    const [zh = problem, en = problem] = problem.split(' · ');
    return {
      name,
      verdict: 'doubtful',
      text: {
        zh: `网页上的设置「${what}」不能用，按配置文件：${zh}`,
        en: `What the page says of ${what} does not hold, the file does: ${en}`,
      },
      figures,
      advice: { zh: '在网页的设置里重新保存', en: 'save it again in the settings of the page' },
    };
  }
  if (waits && running) {
    return {
      name,
      verdict: 'doubtful',
      text: {
        zh: `设置「${what}」已在网页上改过，重启网关后生效`,
        en: `${what} was set on the page and waits for the gateway to be restarted`,
      },
      figures,
      advice: { zh: '在网页的设置里重启', en: 'restart it from the settings of the page' },
    };
  }
  return {
    name,
    verdict: 'good',
    text: {
      zh: `设置「${what}」以网页为准，不看配置文件（${iso(changed)}）`,
      en: `${what} is as the page says, not the file (${iso(changed)})`,
    },
    figures,
  };
}
