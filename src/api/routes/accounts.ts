import { z } from 'zod';
import { PASSWORD_MIN } from '../accounts.ts';
import { AccountName, answers, Done, RoleName, someText } from '../forms.ts';
import { actorOf } from '../guard.ts';
import type { Api, Context } from './context.ts';

export const AccountView = z
  .object({
    name: z.string(),
    display: z.string(),
    role: RoleName,
    mustChange: z.boolean(),
    disabled: z.boolean(),
    created: z.number(),
    changed: z.number(),
  })
  .meta({ id: 'Account' });

const NewAccount = z.strictObject({
  name: AccountName,
  display: someText(64),
  role: RoleName,
  password: z.string().min(PASSWORD_MIN).max(200).optional().describe('Without one it is generated'),
});
const Patch = z.strictObject({
  display: someText(64).optional(),
  role: RoleName.optional(),
  disabled: z.boolean().optional(),
});
const Named = z.object({ name: AccountName });
const WithPassword = AccountView.extend({
  password: z.string().describe('Told this once; must be changed at the first sign-in'),
});

export function accountRoutes(app: Api, { accounts }: Context): void {
  const config = { access: 'admin' } as const;
  const tags = ['accounts'];

  app.get(
    '/api/accounts',
    {
      config,
      schema: {
        tags,
        summary: '用户列表 all accounts',
        response: answers(z.object({ accounts: z.array(AccountView) })),
      },
    },
    async () => ({ accounts: accounts.all() }),
  );

  app.post(
    '/api/accounts',
    {
      config,
      schema: { tags, summary: '新建用户 make an account', body: NewAccount, response: answers(WithPassword) },
    },
    async (request) => {
      const { account, password } = await accounts.create(request.body, actorOf(request));
      return { ...account, password };
    },
  );

  app.patch(
    '/api/accounts/:name',
    {
      config,
      schema: {
        tags,
        summary: '修改用户 change name, role, or disable; a changed right ends the sessions',
        params: Named,
        body: Patch,
        response: answers(AccountView),
      },
    },
    async (request) => accounts.update(request.params.name, request.body, actorOf(request)),
  );

  app.delete(
    '/api/accounts/:name',
    { config, schema: { tags, summary: '删除用户 remove an account', params: Named, response: answers(Done) } },
    async (request) => {
      await accounts.remove(request.params.name, actorOf(request));
      return { ok: true as const };
    },
  );

  app.post(
    '/api/accounts/:name/password',
    {
      config,
      schema: {
        tags,
        summary: '重置密码 give a new password, told once',
        params: Named,
        response: answers(z.object({ password: z.string() })),
      },
    },
    async (request) => ({ password: await accounts.resetPassword(request.params.name, actorOf(request)) }),
  );
}
