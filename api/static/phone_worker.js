// @ts-check
// Answers for /phone when there is no signal: the page and its files, nothing that belongs to anybody.
const KEPT = "xunge-phone-1";
const FILES = ["/static/xunge.css", "/static/phone.css", "/static/phone.js", "/static/phone_outbox.js",
  "/static/phone_map.js", "/static/phone_icons.svg", "/static/icon.svg", "/phone.webmanifest"];
const WAIT_MS = 3000;

self.addEventListener("install", (event) => {
  // @ts-ignore the worker's own events are not in the page's types
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(["/phone", ...FILES])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  // @ts-ignore
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((n) => n.startsWith("xunge-phone-") && n !== KEPT).map((n) => caches.delete(n))))
    // @ts-ignore
    .then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  // @ts-ignore
  const request = event.request;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    // A scanned code opens the same page: the code is read from the address.
    // @ts-ignore
    if (url.pathname === "/phone" || url.pathname.startsWith("/phone/q/")) event.respondWith(fresh(request, "/phone"));
    // @ts-ignore
  } else if (FILES.includes(url.pathname)) event.respondWith(fresh(request, url.pathname));
});

/** The server's answer, or, when none comes in time, the one kept.
 * @param {Request} request @param {string} key */
async function fresh(request, key) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(key);
  const asked = fetch(request).then((answer) => {
    if (answer.ok && !answer.redirected) cache.put(key, answer.clone());
    return answer;
  });
  if (!kept) return asked;
  asked.catch(() => {});
  /** @type {Promise<Response>} */
  const late = new Promise((resolve) => setTimeout(() => resolve(kept.clone()), WAIT_MS));
  return Promise.race([asked.then((a) => (a.status >= 500 ? kept : a)).catch(() => kept), late]);
}
