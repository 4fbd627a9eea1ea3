import { z } from 'zod';
import { CameraSettings } from '../../config/cameras.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import type { HeldSettings } from '../camera-settings.ts';
import { answers, DeviceId } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { Outdated } from '../problems.ts';
import type { Api, Context } from './context.ts';

/** For the page, which knows the words of the API alone. */
export type SettingsForm = typeof CameraSettings;

const Version = z.string().regex(/^[0-9a-f]{32}$/);
const Named = z.object({ id: DeviceId });

export const SettingsView = z
  .object({
    id: z.string(),
    source: z.enum(['file', 'page']).describe('Where they come from: gateway.yaml, or somebody set them on the page'),
    version: Version.describe('To be named with a change'),
    settings: z.record(z.string(), z.unknown()).describe('As they are used; has the form that PUT takes'),
    file: z.record(z.string(), z.unknown()).describe('What the file says'),
    changed: z.number().nullable(),
    actor: z.string().nullable(),
    inUse: z.boolean().nullable().describe('Whether the vision process works with them; `null`: it does not answer'),
  })
  .meta({ id: 'CameraSettings' });

/** How a camera's picture is looked at: fences, lines, areas and what goes with them. */
export function cameraSettingsRoutes(app: Api, { cameras, vision }: Context): void {
  const tags = ['cameras'];
  const url = '/api/cameras/:id/settings';

  const view = async (id: string, held: HeldSettings): Promise<z.output<typeof SettingsView>> => {
    const state = (await vision?.link.state()) ?? null;
    return {
      id,
      ...held,
      settings: { ...held.settings },
      file: { ...cameras.ofFile(id) },
      inUse: state === null ? null : state.settings === cameras.told().version,
    };
  };
  const answered = async (id: string, change: Promise<HeldSettings>) => {
    try {
      return await view(id, await change);
    } catch (thrown) {
      if (!(thrown instanceof QuanweiError) || thrown.code !== 'CONFLICT') throw thrown;
      throw new Outdated(thrown, await view(id, cameras.get(id)));
    }
  };

  app.get(
    url,
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: '摄像机分析设置 how a camera is looked at, and where that is from',
        params: Named,
        response: answers(SettingsView),
      },
    },
    async ({ params: { id } }) => view(id, cameras.get(id)),
  );

  app.put(
    url,
    {
      config: { access: 'manager' },
      schema: {
        tags,
        summary: '修改分析设置 set them, all of them; the vision process takes them up within seconds',
        params: Named,
        body: z.strictObject({ version: Version, settings: CameraSettings }),
        response: answers(SettingsView),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { version, settings } = request.body;
      return answered(id, cameras.change(id, settings, version, actorOf(request)));
    },
  );

  app.delete(
    url,
    {
      config: { access: 'manager' },
      schema: {
        tags,
        summary: '恢复为配置文件的设置 back to what the file says',
        params: Named,
        body: z.strictObject({ version: Version }),
        response: answers(SettingsView),
      },
    },
    async (request) => {
      const { id } = request.params;
      return answered(id, cameras.reset(id, request.body.version, actorOf(request)));
    },
  );
}
