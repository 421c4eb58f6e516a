// @ts-check
// The phone's page: everything is done from what it took along, and goes out through the outbox.
import { add, all, flushTrack, keep, kept, put, remove, send } from "/static/phone_outbox.js";
import { PhoneMap } from "/static/phone_map.js";

const UNDO_MS = 8000;
const POINT_EVERY_MS = 15_000;
const FLUSH_EVERY_MS = 120_000;
const LOCATE_MS = 4000;
const PHOTO_EDGE = 1280;

/** @type {Record<string, string>} */
const words = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("words")).textContent || "{}");
const locale = document.documentElement.lang === "en" ? "en" : "zh";
/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
const $ = (id) => /** @type {T} */ (document.getElementById(id));
const map = new PhoneMap(/** @type {any} */ (document.getElementById("map")));
/** @type {any} */ let load;
/** @type {any} */ let patrol;
/** @type {{patrol: number} | undefined} */ let running;
/** @type {{lon: number, lat: number, accuracy_m: number, at: number} | undefined} */ let fix;
/** @type {number | undefined} */ let watch;
let unsent = 0;
let trouble = "";
/** @type {string[]} */ let undoable = [];
/** @type {ReturnType<typeof setTimeout>} */ let toastGone;

/** @param {string} tag @param {Record<string, any>} [properties] @param {(Node | string)[]} children */
function el(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
/** @param {string} iso */
const clock = (iso) => new Date(iso).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hour12: false });

// ---- what it took along

async function refresh() {
  try {
    const answer = await fetch("/api/v1/phone", { signal: AbortSignal.timeout(20_000) });
    if (answer.status === 401) { trouble = words.sign_in; return; }
    if (!answer.ok) return;
    load = await answer.json();
    trouble = "";
    await keep("load", load);
  } catch { /* no signal: what was kept stands */ }
}

function choose() {
  const select = /** @type {HTMLSelectElement} */ ($("which"));
  const wanted = new URLSearchParams(location.search).get("patrol") || select.value || running?.patrol;
  const now = Date.now();
  const patrols = load?.patrols || [];
  patrol = patrols.find((/** @type {any} */ p) => String(p.id) === String(wanted))
    || patrols.find((/** @type {any} */ p) => Date.parse(p.end_at) > now) || patrols[0];
  select.replaceChildren(...patrols.map((/** @type {any} */ p) => el("option", { value: p.id, textContent: p.title, selected: p === patrol })));
  select.hidden = patrols.length < 2;
}

async function draw() {
  const items = await all();
  drawOutbox(items);
  const done = new Map(Object.entries(patrol?.checked_in || {}));
  for (const item of items) {
    if (item.body.kind === "check_in" && item.body.patrol_id === patrol?.id && item.body.stop && item.state !== "refused" && !done.has(item.body.stop)) done.set(item.body.stop, item.body.device_at);
  }
  const where = $("patrol");
  if (!patrol) {
    where.replaceChildren(el("p", { className: "empty", textContent: load ? words.no_patrol : words.not_loaded }));
  } else {
    const goes = running?.patrol === patrol.id;
    const stops = patrol.stops.map((/** @type {any} */ stop, /** @type {number} */ n) => {
      const at = done.get(stop.key);
      const what = el("div", { className: "what" }, el("strong", { textContent: stop.name }),
        el("span", { className: "muted", textContent: clock(new Date(Date.parse(patrol.midnight) + stop.arrive_min * 60_000).toISOString()) }));
      const right = at ? el("span", { className: "done", textContent: `✓ ${clock(at)}` })
        : el("button", { className: "primary", textContent: words.check_in, ariaLabel: `${words.check_in} ${stop.name}`, onclick: (/** @type {Event} */ e) => checkIn(stop.key, "", /** @type {HTMLButtonElement} */ (e.currentTarget)) });
      return el("li", {}, el("span", { className: "n", textContent: String(n + 1) }), what, right);
    });
    where.replaceChildren(
      el("h1", { textContent: patrol.title }),
      el("p", { className: "muted", textContent: `${patrol.type} · ${done.size} / ${patrol.stops.length}` }),
      el("button", { id: "go", className: goes ? "danger big wide" : "primary big wide", textContent: goes ? words.end : words.start, onclick: goes ? endPatrol : startPatrol }),
      el("p", {}, el("button", { className: "big wide", textContent: `${words.check_in} · QR`, onclick: scan })),
      el("ol", { className: "stops" }, ...stops),
      ...patrol.unreached.map((/** @type {any} */ u) => el("p", { className: "warning", textContent: u[locale] })));
  }
  if (load) map.draw(load.map, patrol, new Set(done.keys()));
  if (fix) map.me(fix.lon, fix.lat);
  drawCard();
}

function drawCard() {
  const card = $("card");
  if (!patrol) { card.replaceChildren(); return; }
  card.replaceChildren(el("h1", { textContent: patrol.title }),
    ...patrol.team.map((/** @type {any} */ m) => person(m.leads ? `${m.name}（${words.leads}）` : m.name, m.me ? "" : m.phone)),
    ...patrol.card.notes.map((/** @type {string} */ n) => el("p", { className: "warning", textContent: n })),
    ...patrol.card.places.map((/** @type {any} */ p) => el("section", {}, el("h2", { textContent: p.kind }), el("p", { className: "muted", textContent: p.names.join("、") }),
      ...p.tasks.map((/** @type {any} */ t) => el("p", { textContent: `${t.name}：${[...t.must, ...t.may].join("、")}` })))));
}

/** @param {string} name @param {string} phone */
function person(name, phone) {
  return el("div", { className: "person" }, el("span", { textContent: name }), ...(phone ? [el("a", { className: "button", href: `tel:${phone}`, textContent: words.call })] : []));
}

// ---- the outbox, always in sight

/** @param {import("./phone_outbox.js").Item[]} items */
function drawOutbox(items) {
  const waiting = items.filter((i) => i.state === "waiting" || i.state === "refused");
  const mine = waiting.filter((i) => i.account === load?.account);
  unsent = waiting.length;
  const state = $("outbox-state");
  const odd = items.some((i) => i.state === "refused" || i.state === "conflict");
  state.className = `state${unsent ? " unsent" : ""}${odd || trouble ? " bad" : ""}`;
  state.textContent = trouble || (unsent ? `${unsent} ${words.unsent}` : words.all_sent);
  state.dataset.unsent = String(unsent);
  const rows = items.sort((a, b) => b.made - a.made).slice(0, 100).map((item) => {
    const flags = item.flags.filter((f) => words[f]).map((f) => words[f]).join("；");
    const row = el("li", {}, el("span", { textContent: `${item.label} ${clock(item.body.device_at)}` }),
      el("span", { textContent: { waiting: words.waiting, stored: words.sent, conflict: words.conflict, refused: words.refused }[item.state] }));
    if (item.said || flags) row.append(el("span", { className: "why", textContent: [item.said, flags].filter(Boolean).join(" ") }));
    if (item.state === "refused") row.append(el("button", { textContent: words.retry, onclick: async () => { item.state = "waiting"; await put([item]); push(); } }));
    return row;
  });
  if (waiting.length > mine.length && load) rows.unshift(el("li", {}, el("span", { className: "why", textContent: `${waiting.length - mine.length} ${words.other_account}` })));
  if (trouble) rows.unshift(el("li", {}, el("a", { className: "button", href: "/sign-in?next=/phone", textContent: trouble })));
  $("items").replaceChildren(...rows);
}

async function push() {
  if (!load) return;
  let result = await send(load.account, load.csrf_token, locale, () => { draw(); });
  if (result === "csrf") { // a new session since: ask for its key once, then send again
    await refresh();
    result = await send(load.account, load.csrf_token, locale, () => { draw(); });
  }
  trouble = result === "sign-in" || result === "csrf" ? words.sign_in : "";
  await draw();
}

/** Put things in the outbox, offer to take them back, and send.
 * @param {{body: any, label: string}[]} made @param {boolean} undo */
async function post(made, undo = true) {
  const items = await add(load.account, made, undo ? UNDO_MS : 0);
  if (undo) {
    undoable = items.map((i) => i.client_id);
    toast(words.noted, true);
    setTimeout(push, UNDO_MS + 50);
  } else push();
  await draw();
}

/** @param {string} said @param {boolean} [undo] */
function toast(said, undo = false) {
  const box = $("toast");
  /** @type {HTMLElement} */ (box.firstElementChild).textContent = said;
  $("undo").hidden = !undo;
  box.hidden = false;
  clearTimeout(toastGone);
  toastGone = setTimeout(() => { box.hidden = true; }, undo ? UNDO_MS - 500 : 4000);
}

$("undo").addEventListener("click", async () => {
  for (const id of undoable) await remove(id);
  undoable = [];
  toast(words.undone);
  await draw();
});

/** @param {string} kind @param {object} [more] */
const body = (kind, more = {}) => ({ client_id: crypto.randomUUID(), kind, device_at: new Date().toISOString(), ...more });

// ---- where it is

/** The place now, or none when the phone does not know in a few seconds. */
function locate() {
  if (fix && Date.now() - fix.at < 10_000) return Promise.resolve(placeOf(fix));
  return new Promise((resolve) => {
    if (!navigator.geolocation) { resolve(undefined); return; }
    const late = setTimeout(() => resolve(undefined), LOCATE_MS + 500);
    navigator.geolocation.getCurrentPosition((p) => { clearTimeout(late); noteFix(p); resolve(fix && placeOf(fix)); },
      () => { clearTimeout(late); resolve(undefined); }, { enableHighAccuracy: true, timeout: LOCATE_MS, maximumAge: 10_000 });
  });
}
/** @param {{lon: number, lat: number, accuracy_m: number}} f */
const placeOf = ({ lon, lat, accuracy_m }) => ({ lon, lat, accuracy_m });
/** @param {GeolocationPosition} p */
function noteFix(p) {
  fix = { lon: p.coords.longitude, lat: p.coords.latitude, accuracy_m: Math.min(p.coords.accuracy, 100_000), at: Date.now() };
  map.me(fix.lon, fix.lat);
}

let lastPoint = 0;
/** @param {GeolocationPosition} p */
async function onWatch(p) {
  noteFix(p);
  if (!running || !fix || Date.now() - lastPoint < POINT_EVERY_MS) return;
  lastPoint = Date.now();
  const key = `track:${running.patrol}`;
  const points = (await kept(key)) || [];
  points.push({ ...placeOf(fix), at: new Date().toISOString() });
  await keep(key, points);
}

function follow() {
  const notice = $("running");
  const over = running && load?.patrols.find((/** @type {any} */ p) => p.id === running?.patrol && Date.parse(p.end_at) < Date.now());
  if (over) { endPatrol(); return; } // its time is over: no place is noted any more
  notice.hidden = !running;
  notice.textContent = words.recording;
  if (running && watch === undefined && navigator.geolocation) watch = navigator.geolocation.watchPosition(onWatch, () => {}, { enableHighAccuracy: true });
  if (!running && watch !== undefined) { navigator.geolocation.clearWatch(watch); watch = undefined; }
}

async function startPatrol() {
  running = { patrol: patrol.id };
  await keep("running", running);
  follow();
  await post([{ body: body("start", { patrol_id: patrol.id }), label: words.k_start }], false);
}

async function endPatrol() {
  if (!running) return;
  const id = running.patrol;
  running = undefined;
  await keep("running", undefined);
  follow();
  await flushTrack(load.account, id, words.k_track);
  await post([{ body: body("end", { patrol_id: id }), label: words.k_end }], false);
}

// ---- check-in

/** @param {string} stop @param {string} code @param {HTMLButtonElement} [button] */
async function checkIn(stop, code, button) {
  const of = patrol;
  if (button) { button.disabled = true; button.textContent = words.locating; }
  const made = body("check_in", { patrol_id: of.id, ...(stop && { stop }), ...(code && { code }) });
  const place = await locate();
  await post([{ body: { ...made, ...(place && { place }) }, label: `${words.k_check_in} ${of.stops.find((/** @type {any} */ s) => s.key === stop)?.name || ""}` }]);
}

/** @param {string} text what a code says */
async function scanned(text) {
  const found = /XG1\.(\d{1,9})\.\d+\.[\w-]+$/.exec(text);
  if (!found || !patrol) return false;
  const stop = `checkpoint:${found[1]}`;
  if (!patrol.stops.some((/** @type {any} */ s) => s.key === stop)) toast(words.wrong_place);
  await checkIn(stop, found[0]);
  return true;
}

async function scan() {
  const box = /** @type {HTMLDialogElement} */ ($("scan-box"));
  const said = $("scan-said");
  const video = /** @type {HTMLVideoElement} */ ($("video"));
  said.textContent = words.point_camera;
  box.showModal();
  // @ts-ignore not in every browser, nor in the types
  const Detector = window.BarcodeDetector;
  if (!Detector || !navigator.mediaDevices) { video.hidden = true; return; }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    const detector = new Detector({ formats: ["qr_code"] });
    while (box.open) {
      for (const seen of await detector.detect(video)) if (box.open && await scanned(seen.rawValue)) box.close();
      await new Promise((r) => setTimeout(r, 250));
    }
    for (const track of stream.getTracks()) track.stop();
  } catch { video.hidden = true; }
}
$("scan-close").addEventListener("click", () => /** @type {HTMLDialogElement} */ ($("scan-box")).close());

// ---- report

/** Reduce a photo to what a report needs. @param {File} file @returns {Promise<string>} base64 JPEG */
async function reduced(file) {
  const picture = await createImageBitmap(file);
  const by = Math.min(1, PHOTO_EDGE / Math.max(picture.width, picture.height));
  const canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { width: Math.round(picture.width * by), height: Math.round(picture.height * by) }));
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(picture, 0, 0, canvas.width, canvas.height);
  // Drawn anew, so what the camera wrote into the file (place, device) is gone.
  return canvas.toDataURL("image/jpeg", 0.72).split(",")[1];
}

/** @type {string} */ let photo = "";
$("photo").addEventListener("change", async () => {
  const file = /** @type {HTMLInputElement} */ ($("photo")).files?.[0];
  const preview = /** @type {HTMLImageElement} */ ($("preview"));
  photo = "";
  preview.hidden = true;
  if (!file) return;
  try {
    photo = await reduced(file);
    preview.src = `data:image/jpeg;base64,${photo}`;
    preview.hidden = false;
  } catch { toast(words.photo_bad); }
});

$("report").addEventListener("submit", async (e) => {
  e.preventDefault();
  const form = /** @type {HTMLFormElement} */ (e.currentTarget);
  const chosen = /** @type {string | null} */ (new FormData(form).get("category"));
  if (!chosen) { toast(words.choose); return; }
  if (!load) { toast(words.not_loaded); return; }
  const [incident_class, category] = chosen.split("|");
  const building = Number(/** @type {HTMLSelectElement} */ ($("building")).value);
  const taken = photo;
  const made = body("report", { incident_class, category, ...(running && { patrol_id: running.patrol }) });
  const place = building ? undefined : await locate();
  const items = [{ body: { ...made, ...(building && { building_id: building }), ...(place && { place }) }, label: `${words.k_report} ${category}` }];
  if (taken) items.push({ body: body("photo", { report: made.client_id, content: taken }), label: words.k_photo });
  photo = "";
  form.reset();
  $("preview").hidden = true;
  await post(items);
  show("outbox");
});

// ---- emergency

$("alarm").addEventListener("click", () => {
  const now = Date.now();
  const out = (patrol?.others || []).filter((/** @type {any} */ o) => Date.parse(o.start_at) <= now && now <= Date.parse(o.end_at));
  const near = (out.length ? out : patrol?.others || []).map((/** @type {any} */ other) => {
    // Where they plan to be now: the last stop they should have reached.
    const stop = other.stops.filter((/** @type {any} */ s) => Date.parse(s[0]) <= now).pop() || other.stops[0];
    const metres = stop && fix ? Math.hypot((stop[1] - fix.lon) * 96_000, (stop[2] - fix.lat) * 110_574) : Infinity;
    return { ...other, metres };
  }).sort((/** @type {any} */ a, /** @type {any} */ b) => a.metres - b.metres).slice(0, 3);
  const team = (patrol?.team || []).filter((/** @type {any} */ m) => !m.me && m.phone);
  $("nearest").replaceChildren(el("h2", { textContent: words.nearest }),
    ...near.map((/** @type {any} */ o) => person(Number.isFinite(o.metres) ? `${o.leader} · ${Math.round(o.metres)} ${words.metres}` : o.leader, o.phone)),
    ...team.map((/** @type {any} */ m) => person(m.name, m.phone)));
  /** @type {HTMLDialogElement} */ ($("alarm-box")).showModal();
  locate();
});
$("alarm-close").addEventListener("click", () => /** @type {HTMLDialogElement} */ ($("alarm-box")).close());
$("alarm-send").addEventListener("click", async () => {
  /** @type {HTMLDialogElement} */ ($("alarm-box")).close();
  if (!load) { toast(words.not_loaded); return; }
  const made = body("alarm", patrol ? { patrol_id: patrol.id } : {});
  const place = await locate();
  await post([{ body: { ...made, ...(place && { place }) }, label: words.k_alarm }]);
});

// ---- the page

/** @param {string} tab */
function show(tab) {
  for (const section of document.querySelectorAll("main > section")) /** @type {HTMLElement} */ (section).hidden = section.id !== `tab-${tab}`;
  for (const button of document.querySelectorAll(".tabs button")) {
    if (/** @type {HTMLElement} */ (button).dataset.tab === tab) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}
for (const button of document.querySelectorAll("[data-tab]")) button.addEventListener("click", () => show(/** @type {HTMLElement} */ (button).dataset.tab || "patrol"));
$("which").addEventListener("change", () => { history.replaceState(null, "", "/phone"); choose(); draw(); });
$("zoom-in").addEventListener("click", () => map.zoom(0.7));
$("zoom-out").addEventListener("click", () => map.zoom(1.4));
$("whole").addEventListener("click", () => map.show(map.home));
$("send-now").addEventListener("click", async () => {
  const now = Date.now();
  await put((await all()).filter((i) => i.state === "waiting").map((i) => ({ ...i, not_before: Math.min(i.not_before, now) })));
  push();
});
$("sign-out").addEventListener("submit", (e) => { if (unsent && !confirm(words.leave)) e.preventDefault(); });
addEventListener("beforeunload", (e) => { if (unsent) e.preventDefault(); });
addEventListener("online", push);
document.addEventListener("visibilitychange", () => { if (!document.hidden) push(); });
setInterval(push, 20_000);
setInterval(follow, 20_000);
setInterval(() => { if (running && load) flushTrack(load.account, running.patrol, words.k_track); }, FLUSH_EVERY_MS);

async function begin() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/phone-worker.js", { scope: "/phone" }).catch(() => {});
  navigator.storage?.persist?.();
  load = await kept("load");
  running = await kept("running");
  const code = location.pathname.startsWith("/phone/q/") ? location.pathname : "";
  if (code) history.replaceState(null, "", "/phone");
  if (load) { choose(); await draw(); }
  const renewed = refresh();
  if (!load || !code) await renewed;
  choose();
  const select = /** @type {HTMLSelectElement} */ ($("building"));
  select.append(...(load?.buildings || []).map((/** @type {any} */ b) => el("option", { value: b.id, textContent: b.name })));
  follow();
  await draw();
  document.body.dataset.ready = "yes";
  if (code) await scanned(code);
  push();
}
begin();
