import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { answers, someText } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { Problem } from '../problems.ts';
import type { Api, Context } from './context.ts';

const Certificate = z.object({
  subject: z.string(),
  names: z.string().nullable().describe('Names and addresses it is good for'),
  from: z.number(),
  until: z.number(),
  fingerprint: z.string().describe('sha256, to compare with what a device shows'),
});
const Used = z.object({
  use: z.enum(['https', 'mqtts', 'centre']),
  given: z.string().nullable().describe('The file it comes from; `null`: issued by the box itself'),
  certificate: Certificate.nullable(),
  problem: z.string().nullable(),
});
const Issued = z.object({
  serial: z.string(),
  device: z.string(),
  issued: z.string(),
  expires: z.string(),
  revoked: z.string().nullable(),
  reason: z.string().nullable(),
});
export const CertificatesView = z.object({
  ca: Certificate.nullable().describe('The box’s own authority; `null` until something needs it'),
  used: z.array(Used),
  issued: z.array(Issued).describe('To devices, newest first'),
});

/** What proves who this box is, and which devices it vouches for. No key ever leaves. */
export function certificateRoutes(app: Api, { ca, config, journal }: Context): void {
  const tags = ['system'];
  const own = () => ca?.look() ?? { ca: null, server: null };

  const used = (): z.output<typeof Used>[] => {
    const { http, mqtt, upstream } = config;
    const one = (use: 'https' | 'mqtts' | 'centre', given: string | undefined, issued: string | null) => {
      try {
        const pem = given === undefined ? issued : existsSync(given) ? readFileSync(given, 'utf8') : null;
        const problem = given !== undefined && pem === null ? `文件不存在 · no such file: ${given}` : null;
        return { use, given: given ?? null, certificate: pem === null ? null : told(pem), problem };
      } catch (thrown) {
        return { use, given: given ?? null, certificate: null, problem: messageOf(thrown) };
      }
    };
    return [
      ...(http.listen.startsWith('https:') ? [one('https', http.cert, own().server)] : []),
      ...(mqtt.listen.some(({ url }) => url.startsWith('mqtts:')) ? [one('mqtts', mqtt.cert, own().server)] : []),
      ...(upstream?.cert === undefined ? [] : [one('centre', upstream.cert, null)]),
    ];
  };

  app.get(
    '/api/certificates',
    {
      config: { access: 'manager' },
      schema: { tags, summary: '证书 what there is and until when it holds', response: answers(CertificatesView) },
    },
    async () => {
      const pem = own().ca;
      return { ca: pem === null ? null : told(pem), used: used(), issued: [...(ca?.list() ?? [])].reverse() };
    },
  );

  app.get(
    '/api/certificates/ca.crt',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: '下载 CA 证书 to be put into devices and browsers; it opens nothing',
        response: { 200: z.string(), default: Problem },
      },
    },
    async (_request, reply) => {
      const pem = own().ca;
      if (pem === null) throw new QuanweiError('NOT_FOUND', '本机还没有 CA · this box has no authority yet');
      return reply
        .type('application/x-pem-file')
        .header('content-disposition', 'attachment; filename="quanwei-ca.crt"')
        .serializer(String)
        .send(pem);
    },
  );

  app.post(
    '/api/certificates/:serial/revoke',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: '吊销 from now on the certificate opens nothing; connections made with it are closed',
        params: z.object({ serial: z.string().regex(/^[0-9a-f]{1,40}$/) }),
        body: z.strictObject({ reason: someText(200) }),
        response: answers(z.object({ revoked: z.array(Issued).readonly() })),
      },
    },
    async (request) => {
      if (ca === undefined) throw new QuanweiError('NOT_FOUND', '本机还没有 CA · this box has no authority yet');
      const { serial } = request.params;
      const { reason } = request.body;
      const [meant] = ca.list().filter((one) => one.serial === serial);
      if (meant === undefined) throw new QuanweiError('NOT_FOUND', '没有这张证书 · there is no such certificate');
      if (meant.revoked !== null)
        throw new QuanweiError('CONFLICT', '已吊销 · it is revoked already', { where: serial });
      // Before it is done: what is revoked and not recorded is worse than what is recorded and has to be done again.
      await journal.append([
        {
          kind: 'setting.changed',
          actor: actorOf(request),
          subject: meant.device,
          body: { what: 'certificate revoked', section: 'certificates', serial, device: meant.device, reason },
        },
      ]);
      return { revoked: await ca.revoke(serial, reason) };
    },
  );
}

function told(pem: string): z.output<typeof Certificate> {
  const { subject, subjectAltName, validFrom, validTo, fingerprint256 } = new X509Certificate(pem);
  return {
    subject,
    names: subjectAltName ?? null,
    from: Date.parse(validFrom),
    until: Date.parse(validTo),
    fingerprint: fingerprint256,
  };
}
