import { expect, test } from 'vitest';
import { addressOf, askCamera } from '../../../src/vision/capture/onvif.ts';
import { serveOnvif } from '../../support/onvif.ts';

const HOUR = 3_600_000;

test.each([0, -9 * HOUR, 400 * 24 * HOUR])(
  'a camera whose clock is %i ms ahead tells its streams; they lead to the host that is known',
  async (ahead) => {
    const { host } = await serveOnvif({ user: 'admin', password: 'p@ss w<rd', ahead });
    const camera = await askCamera(`onvif://admin:p%40ss%20w%3Crd@${host}`);
    expect(camera).toMatchObject({
      vendor: 'Acme',
      model: 'Eye 1',
      main: 'rtsp://admin:p%40ss%20w%3Crd@127.0.0.1:554/main?a=1&b=2',
      sub: 'rtsp://admin:p%40ss%20w%3Crd@127.0.0.1:554/sub?a=1&b=2',
    });
    expect(Math.abs(camera.clockAhead - ahead)).toBeLessThan(3_000);
    expect(await addressOf(`onvif://admin:p%40ss%20w%3Crd@${host}`, 'sub')()).toBe(camera.sub);
  },
);

test('a wrong password is said so, without saying it', async () => {
  const { host } = await serveOnvif({ user: 'admin', password: 'right' });
  await expect(askCamera(`onvif://admin:topsecret@${host}`)).rejects.toMatchObject({
    code: 'CAMERA_UNAVAILABLE',
    message: 'wrong user name or password',
    where: `onvif://***@${host}`,
  });
});

test.each([
  [
    'an answer without end',
    (response: import('node:http').ServerResponse) => {
      const more = () => {
        while (!response.destroyed && response.write('<a>'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.on('error', () => undefined);
      more();
    },
  ],
  [
    'XML with entities',
    (response: import('node:http').ServerResponse) =>
      void response.end('<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'),
  ],
  ['deep nesting', (response: import('node:http').ServerResponse) => void response.end('<a>'.repeat(60_000))],
  ['something else', (response: import('node:http').ServerResponse) => void response.end('<html>hello</html>')],
  [
    'a way to elsewhere',
    (response: import('node:http').ServerResponse) =>
      void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  ],
])('%s is an error, soon', async (_, instead) => {
  const { host } = await serveOnvif({ user: 'a', password: 'b', instead });
  await expect(askCamera(`onvif://a:b@${host}`)).rejects.toMatchObject({ code: 'CAMERA_UNAVAILABLE' });
});

test('an RTSP address is its own answer; what is no address is refused', async () => {
  expect(await addressOf('rtsp://a:b@camera/main', 'main')()).toBe('rtsp://a:b@camera/main');
  await expect(askCamera('onvif://')).rejects.toMatchObject({ code: 'BAD_CONFIG' });
});
