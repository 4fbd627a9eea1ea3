import type { UpstreamConfig } from '../../config/schema.ts';
import { withoutLogin } from '../../kernel/addresses.ts';
import { whyNotReached } from '../../upstream/probe.ts';
import type { Finding } from './finding.ts';

/**
 * Whether the command centre's broker can be reached and lets this box in. Publishes nothing.
 * @param source where the way there is said
 */
export async function checkCentre(
  upstream: UpstreamConfig | undefined,
  clientId: string,
  source: 'file' | 'page',
): Promise<Finding> {
  if (upstream === undefined) {
    return {
      name: 'upstream',
      verdict: 'good',
      text: { zh: '未配置指挥中心：报警只在本地', en: 'No command centre is configured: alarms stay in this box' },
      figures: { configured: false, source },
    };
  }
  const began = performance.now();
  const why = await whyNotReached(upstream, clientId);
  const ms = Math.round(performance.now() - began);
  const url = withoutLogin(upstream.url);
  return {
    name: 'upstream',
    verdict: why === null ? 'good' : 'bad',
    text:
      why === null
        ? {
            zh: `指挥中心可登录：${url}（${ms} ms）`,
            en: `Logged in to the command centre at ${url} in ${ms} ms`,
          }
        : { zh: `指挥中心不通：${url}`, en: `Cannot log in to the command centre at ${url}: ${why}` },
    figures: { configured: true, url, source, ms },
    ...(why === null
      ? {}
      : {
          advice: {
            zh: '检查网络、地址、证书、用户名和密码；报警会留在本地，恢复后补发',
            en: 'check network, address, certificate, name and password; alarms wait here and are sent when it is back',
          },
        }),
  };
}
