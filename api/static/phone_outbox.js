// @ts-check
// The outbox: every item in IndexedDB under a client id before anything else happens; sent in
// batches until the server has told what became of it.

/** @typedef {{client_id: string, kind: string, patrol_id?: number, device_at: string}} Sent */
/** @typedef {{client_id: string, account: number, made: number, not_before: number, label: string,
 *   state: "waiting"|"stored"|"conflict"|"refused", flags: string[], said: string, body: any}} Item */

const BATCH_ITEMS = 25;
const BATCH_BYTES = 1_500_000;
const DONE_KEPT_MS = 2 * 86_400_000;

/** @type {Promise<IDBDatabase>} */
const opened = new Promise((resolve, reject) => {
  const asked = indexedDB.open("xunge-phone", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("outbox", { keyPath: "client_id" });
    asked.result.createObjectStore("kept");
  };
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

/** Do something in one transaction; resolves when it is on disk.
 * @template T @param {(stores: {outbox: IDBObjectStore, kept: IDBObjectStore}) => IDBRequest<T>|void} work
 * @param {IDBTransactionMode} [mode] @returns {Promise<T>} */
async function within(work, mode = "readwrite") {
  const base = await opened;
  return new Promise((resolve, reject) => {
    // Strict: the answer comes when the disk has it, so a killed browser loses nothing that was shown.
    const tx = base.transaction(["outbox", "kept"], mode, { durability: "strict" });
    const asked = work({ outbox: tx.objectStore("outbox"), kept: tx.objectStore("kept") });
    tx.oncomplete = () => resolve(/** @type {T} */ (asked ? asked.result : undefined));
    tx.onerror = tx.onabort = () => reject(tx.error);
  });
}

/** @param {string} key @returns {Promise<any>} */
export const kept = (key) => within((s) => s.kept.get(key), "readonly");
/** @param {string} key @param {any} value */
export const keep = (key, value) => within((s) => s.kept.put(value, key));
/** @returns {Promise<Item[]>} */
export const all = () => within((s) => s.outbox.getAll(), "readonly");
/** @param {string} id */
export const remove = (id) => within((s) => s.outbox.delete(id));
/** @param {Item[]} items */
export const put = (items) => within((s) => { for (const item of items) s.outbox.put(item); });

/** Put new items in the outbox, all or none.
 * @param {number} account @param {{body: any, label: string}[]} made @param {number} hold_ms how long undo is offered */
export async function add(account, made, hold_ms) {
  const now = Date.now();
  /** @type {Item[]} */
  const items = made.map(({ body, label }) => ({
    client_id: body.client_id, account, made: now, not_before: now + hold_ms, label, state: "waiting", flags: [], said: "", body,
  }));
  await put(items);
  return items;
}

/** Take the track's buffer into an item, in one transaction.
 * @param {number} account @param {number} patrol @param {string} label */
export async function flushTrack(account, patrol, label) {
  const key = `track:${patrol}`;
  const points = await kept(key);
  if (!points || !points.length) return;
  const now = new Date();
  const body = { client_id: crypto.randomUUID(), kind: "track", patrol_id: patrol, device_at: now.toISOString(), points };
  await within((s) => {
    s.kept.put([], key);
    s.outbox.put({ client_id: body.client_id, account, made: +now, not_before: 0, label, state: "waiting", flags: [], said: "", body });
  });
}

/** Send what waits. Resolves with "sent", "nothing", "offline", "sign-in" or "csrf".
 * @param {number} account @param {string} csrf @param {string} locale @param {() => void} changed */
export async function send(account, csrf, locale, changed) {
  const work = async () => {
    await forgetDone();
    for (let sent = false; ; sent = true) {
      const now = Date.now();
      const due = (await all()).filter((i) => i.state === "waiting" && i.account === account && i.not_before <= now)
        .sort((a, b) => a.made - b.made);
      const batch = [];
      let bytes = 0;
      for (const item of due) {
        const size = JSON.stringify(item.body).length;
        if (batch.length && (batch.length >= BATCH_ITEMS || bytes + size > BATCH_BYTES)) break;
        batch.push(item);
        bytes += size;
      }
      if (!batch.length) return sent ? "sent" : "nothing";
      let answer;
      try {
        answer = await fetch("/api/v1/phone/sync", {
          method: "POST",
          headers: { "content-type": "application/json", "x-csrf-token": csrf },
          body: JSON.stringify({ sent_at: new Date().toISOString(), items: batch.map((i) => i.body) }),
          signal: AbortSignal.timeout(60_000),
        });
      } catch { return "offline"; }
      if (answer.status === 401) return "sign-in";
      if (answer.status === 403) return "csrf";
      if (!answer.ok) return "offline";
      const told = new Map((await answer.json()).results.map((/** @type {any} */ r) => [r.client_id, r]));
      for (const item of batch) {
        const result = told.get(item.client_id);
        if (!result) return "offline";
        item.state = result.state;
        item.flags = result.flags;
        item.said = locale === "en" ? result.en : result.zh;
        // What was taken in need not lie on the phone any longer; what was not stays whole.
        if (result.state !== "refused") item.body = { kind: item.body.kind, stop: item.body.stop, patrol_id: item.body.patrol_id, device_at: item.body.device_at };
      }
      await put(batch);
      changed();
    }
  };
  if (!navigator.locks) return work();
  return navigator.locks.request("xunge-outbox", { ifAvailable: true }, (lock) => (lock ? work() : "nothing"));
}

async function forgetDone() {
  const old = (await all()).filter((i) => i.state === "stored" && i.made < Date.now() - DONE_KEPT_MS);
  for (const item of old) await remove(item.client_id);
}
