import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { PASSWORD_MIN } from '../accounts.ts';
import { answers, Done, RoleName } from '../forms.ts';
import { person } from '../guard.ts';
import type { SignedIn } from '../sessions.ts';
import type { Api, Context } from './context.ts';

/** Unknown names and passwords are only compared: whatever was typed is wrong, not malformed. */
const Login = z.strictObject({ name: z.string().max(64), password: z.string().max(200) });
const Password = z.strictObject({
  current: z.string().max(200),
  next: z.string().min(PASSWORD_MIN, `at least ${PASSWORD_MIN} characters`).max(200),
});

export const Me = z.object({
  name: z.string(),
  display: z.string(),
  role: RoleName,
  mustChangePassword: z.boolean().describe('Only the password can be changed, nothing else be done, until it is'),
  sessionEnds: z.number().describe('ms since the epoch'),
  site: z.object({ id: z.string(), name: z.string(), timezone: z.string() }),
});

export function sessionRoutes(app: Api, context: Context): void {
  const { accounts, sessions, attempts, config, cookie } = context;
  const { id, name, timezone } = config.site;

  const me = ({ account, session }: SignedIn): z.output<typeof Me> => ({
    name: account.name,
    display: account.display,
    role: account.role,
    mustChangePassword: account.mustChange,
    sessionEnds: session.ends,
    site: { id, name, timezone },
  });
  const setCookie = (reply: FastifyReply, token: string, maxAge: number) =>
    reply.setCookie(cookie.name, token, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: cookie.secure,
      maxAge,
    });

  app.post(
    '/api/login',
    {
      config: { access: 'public' },
      schema: { tags: ['session'], summary: '登录 sign in', body: Login, response: answers(Me) },
    },
    async (request, reply) => {
      const { name: typed, password } = request.body;
      attempts.admit(typed, request.ip);
      const account = await accounts.check(typed, password).catch((thrown: unknown) => {
        if (thrown instanceof QuanweiError && thrown.code === 'BAD_CREDENTIALS') attempts.wrong(typed, request.ip);
        throw thrown;
      });
      // Whoever signs in again leaves no forgotten session behind.
      if (request.signedIn !== null) await sessions.end(request.signedIn.session.key);
      const { token, session } = await sessions.open(account, request.ip, request.headers['user-agent'] ?? '');
      setCookie(reply, token, config.http.sessionHours * 3_600);
      return me({ account, session });
    },
  );

  app.post(
    '/api/logout',
    {
      config: { access: 'self' },
      schema: { tags: ['session'], summary: '退出 sign out', response: answers(Done) },
    },
    async (request, reply) => {
      await sessions.end(person(request).session.key);
      setCookie(reply, '', 0);
      return { ok: true as const };
    },
  );

  app.get(
    '/api/session',
    {
      config: { access: 'public' },
      schema: {
        tags: ['session'],
        summary: '是否已登录 whether this browser is signed in, and as whom',
        response: answers(z.object({ person: Me.nullable() })),
      },
    },
    async (request) => ({ person: request.signedIn === null ? null : me(request.signedIn) }),
  );

  app.get(
    '/api/me',
    {
      config: { access: 'self' },
      schema: { tags: ['session'], summary: '当前用户 who is signed in', response: answers(Me) },
    },
    async (request) => me(person(request)),
  );

  app.post(
    '/api/password',
    {
      config: { access: 'self' },
      schema: {
        tags: ['session'],
        summary: '修改密码 change your own password; other sessions end',
        body: Password,
        response: answers(Me),
      },
    },
    async (request) => {
      const { session, account } = person(request);
      const { current, next } = request.body;
      attempts.admit(account.name, request.ip);
      const changed = await accounts
        .changePassword(account.name, current, next, Buffer.from(session.key, 'hex'))
        .catch((thrown: unknown) => {
          if (thrown instanceof QuanweiError && thrown.code === 'BAD_CREDENTIALS') {
            attempts.wrong(account.name, request.ip);
          }
          throw thrown;
        });
      return me({ account: changed, session });
    },
  );
}
