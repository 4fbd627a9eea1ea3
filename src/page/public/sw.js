// Keeps the shell of the page, so that it opens while the gateway is being restarted. Alarms are never kept: what is
// shown of them always comes from the gateway.
const SHELL = 'quanwei-shell-1';

self.addEventListener('install', (event) => {
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});
// The first visit loads its files before this is there: the page tells what they were.
self.addEventListener('message', (event) => {
  event.waitUntil(keep(Array.isArray(event.data) ? event.data.map(String) : []));
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const own = url.origin === self.location.origin && request.method === 'GET';
  if (!own || url.pathname.startsWith('/api/') || url.pathname === '/metrics' || url.pathname === '/healthz') return;
  event.respondWith(url.pathname.startsWith('/assets/') ? fromStore(request) : fromGateway(request));
});

/** @param {string[]} addresses of this origin, without it */
async function keep(addresses) {
  const store = await caches.open(SHELL);
  const shell = addresses.filter((address) => address === '/' || address.startsWith('/assets/'));
  await Promise.all(shell.map(async (address) => (await store.match(address)) ?? store.add(address)));
}

/** A file whose name says what is in it never changes. */
async function fromStore(request) {
  const store = await caches.open(SHELL);
  const kept = await store.match(request);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (answer.ok) await store.put(request, answer.clone());
  return answer;
}

async function fromGateway(request) {
  const store = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok && new URL(request.url).pathname === '/') {
      // A new shell: what the old one was made of is not needed any more.
      const before = await store.match(request);
      const text = await answer.clone().text();
      if (before !== undefined && (await before.text()) !== text) {
        for (const key of await store.keys()) await store.delete(key);
      }
    }
    if (answer.ok) await store.put(request, answer.clone());
    return answer;
  } catch (thrown) {
    const kept = await store.match(request);
    if (kept !== undefined) return kept;
    throw thrown;
  }
}
