// @ts-check
// The desk: what is picked up, what dropping it would do, and every change that is sent.

import { boardTable, findSeat, focusSeat, memberTable, moveByArrows } from "./desk_board.js";
import { sickDialog, stepIns, whatIfDialog } from "./desk_dialogs.js";
import { letDrag } from "./desk_drag.js";
import { follow } from "./desk_jobs.js";
import { fairness, gaps, levels, people, shortages } from "./desk_panels.js";
import { Names, Refused, ask, byId, editable, make, placeKey, say, sentence, signed, words } from "./desk_parts.js";

/** @typedef {import("./desk_parts.js").Board} Board */
/** @typedef {import("./desk_parts.js").Target} Target */
/** @typedef {{patrol: string|null, seat: number, member: string}} Picked */

const LONG_MESSAGE_MS = 9000;
const table = byId("board");
const strip = byId("consequences");
let board = /** @type {Board} */ (/** @type {unknown} */ (null));
let names = /** @type {Names} */ (/** @type {unknown} */ (null));
let view = "board";
/** @type {Picked|null} */
let picked = null;
/** @type {Map<string, Target>} */
let targets = new Map();
/** @type {AbortController|null} */
let asking = null;
/** @type {Promise<void>|null} */
let arriving = null;
let busy = false;

// ---- drawing

function redraw() {
  const here = /** @type {HTMLElement|null} */ (document.activeElement?.closest("#board .seat"));
  const at = here && [here.dataset.patrol ?? "", here.dataset.seat ?? ""];
  const { scrollLeft } = table;
  names = new Names(board);
  table.replaceChildren(view === "board" ? boardTable(board, names) : memberTable(board, names));
  table.scrollLeft = scrollLeft;
  const again = (at && findSeat(table, at[0], at[1])) || /** @type {HTMLElement|null} */ (table.querySelector(".seat"));
  if (again) {
    again.setAttribute("tabindex", "0");
    if (here) again.focus({ preventScroll: true });
  }
  byId("shortage-count").textContent = String(board.empty_seats.length);
  shortages(byId("shortages"), board, names, (asked) => void change("/fixes", asked), reveal);
  fairness(byId("fairness"), board);
  gaps(byId("gaps"), board, names);
  levels(byId("levels"), board);
  if (editable) {
    people(byId("people"), board);
    /** @type {HTMLButtonElement} */ (byId("undo")).disabled = !board.undo;
    /** @type {HTMLButtonElement} */ (byId("redo")).disabled = !board.redo;
    showPicked();
  }
}

/** @param {string} patrol @param {number} seat */
function reveal(patrol, seat) {
  if (view !== "board") setView("board");
  const found = findSeat(table, patrol, seat);
  if (!found) return;
  focusSeat(table, found);
  found.scrollIntoView({ block: "center", inline: "center" });
}

/** @param {string} chosen */
function setView(chosen) {
  view = chosen;
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.view === chosen));
  letGo();
  redraw();
}

// ---- telling

let telling = 0;

/** @param {string} text */
function tell(text) {
  byId("status").textContent = text;
}

/** @param {string} text */
function warn(text) {
  const alert = byId("alert");
  alert.textContent = text;
  alert.hidden = false;
  clearTimeout(telling);
  telling = window.setTimeout(() => { alert.hidden = true; }, LONG_MESSAGE_MS);
}

/** @param {unknown} error */
async function refused(error) {
  if (!(error instanceof Refused)) throw error;
  warn(error.message);
  if (error.status === 409 || error.status === 404) {
    // Somebody else may have changed it: show what is there now.
    const before = JSON.stringify(board.patrols);
    board = await ask("GET", "").catch(() => board);
    redraw();
    if (JSON.stringify(board.patrols) !== before) tell(say("refreshed"));
  }
}

// ---- picking up and what it would do

/** @param {Picked|null} what */
function pick(what) {
  asking?.abort();
  asking = null;
  picked = what;
  targets = new Map();
  mark();
  showPicked();
  if (!what || !editable) return;
  asking = new AbortController();
  const query = what.patrol === null ? `member=${encodeURIComponent(what.member)}` : `patrol=${encodeURIComponent(what.patrol)}&seat=${what.seat}`;
  tell(say("thinking"));
  const { signal } = asking;
  arriving = ask("GET", `/targets?${query}`, undefined, signal)
    .then((answer) => {
      targets = new Map(answer.targets.map((/** @type {Target} */ one) => [placeKey(one.patrol, one.seat), one]));
      mark();
      tell(say("hover"));
    })
    .catch((error) => {
      if (!signal.aborted) {
        letGo();
        return refused(error);
      }
      return undefined;
    });
}

function letGo() {
  pick(null);
  hover(null);
  tell("");
}

function mark() {
  table.classList.toggle("choosing", Boolean(picked) && targets.size > 0);
  for (const seat of /** @type {NodeListOf<HTMLElement>} */ (table.querySelectorAll(".seat"))) {
    const key = placeKey(seat.dataset.patrol ?? "", seat.dataset.seat ?? "");
    const target = targets.get(key);
    const mine = picked !== null && picked.patrol !== null && key === placeKey(picked.patrol, picked.seat);
    seat.classList.toggle("picked", mine);
    seat.setAttribute("aria-pressed", String(mine));
    seat.classList.toggle("ok", Boolean(target?.allowed));
    seat.classList.toggle("no", Boolean(target && !target.allowed));
  }
  for (const person of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#people .person"))) {
    person.classList.toggle("picked", picked !== null && picked.patrol === null && person.dataset.member === picked.member);
  }
}

/** @param {Target} target @returns {(HTMLElement|string)[]} */
function effects(target) {
  const where = names.patrolName(target.patrol);
  const occupant = names.patrol.get(target.patrol)?.seats[target.seat]?.member;
  const who = names.memberName(picked?.member);
  const title = make("strong", {}, `${who} → ${say(target.kind)} ${where}${occupant && target.kind !== "place" ? `（${names.memberName(occupant)}）` : ""}`);
  if (!target.allowed) {
    return [title, make("span", { class: "tag bad" }, say("cannot")), ...target.stops.slice(0, 4).map((stop) => make("span", {}, `${stop.member ? `${names.memberName(stop.member)}：` : ""}${sentence(stop)}`))];
  }
  /** @type {HTMLElement[]} */
  const told = [];
  const tag = (/** @type {string} */ text, /** @type {number} */ worse) => told.push(make("span", { class: `tag ${worse > 0 ? "warn" : worse < 0 ? "good" : ""}` }, text));
  for (const place of target.closes) tag(`${say("closes")} ${names.patrolName(place.patrol)}`, -1);
  for (const place of target.opens) tag(`${say("opens")} ${names.patrolName(place.patrol)}`, 1);
  if (target.fairness_bp) tag(say("fairness_change", { n: signed(target.fairness_bp / 100, 1) }), target.fairness_bp);
  if (target.gap_min) tag(say("gap_change", { n: signed(target.gap_min) }), target.gap_min);
  for (const [level, moved] of Object.entries(target.cost_by_level)) if (moved) tag(`${words.levels[level] ?? level} ${signed(moved)}（${moved > 0 ? say("worse") : say("better")}）`, moved);
  return [title, ...(told.length ? told : [make("span", {}, say("no_effect"))])];
}

/** @param {HTMLElement|null} seat */
function hover(seat) {
  for (const other of table.querySelectorAll(".seat.over")) other.classList.remove("over");
  const target = seat ? targets.get(placeKey(seat.dataset.patrol ?? "", seat.dataset.seat ?? "")) : undefined;
  if (!seat || !target) {
    strip.hidden = true;
    return;
  }
  seat.classList.add("over");
  strip.className = `consequences no-print ${target.allowed ? "" : "refused"}`;
  strip.replaceChildren(...effects(target));
  strip.hidden = false;
  if (document.activeElement === seat) tell(strip.textContent ?? "");
}

function showPicked() {
  const panel = byId("picked");
  if (!picked) {
    panel.replaceChildren(make("p", { class: "small muted" }, say("pick_hint")));
    return;
  }
  const { patrol, seat, member } = picked;
  const who = names.member.get(member);
  const there = patrol === null ? undefined : names.patrol.get(patrol)?.seats[seat];
  const found = make("div", { "aria-live": "polite" });
  const act = (/** @type {string} */ word, /** @type {() => void} */ does) => make("button", { type: "button", onclick: does }, word);
  panel.replaceChildren(
    make("h2", {}, `${say("picked")}：${who?.name ?? member}`),
    make("p", { class: "small" }, patrol === null ? `${who ? words.forces[who.force] : ""} · ${say("times", { n: who?.patrols ?? 0, max: who?.patrols_max ?? 0 })}` : names.patrolName(patrol)),
    make("div", { class: "actions" },
      patrol === null ? null : act(there?.locked ? say("unlock") : say("lock"), () => void lock()),
      patrol === null ? null : act(say("remove"), () => void remove()),
      patrol === null ? null : act(say("who_could"), () => void whoCould(found)),
      act(say("cancel"), letGo)),
    found,
  );
}

/** @param {HTMLElement} found */
async function whoCould(found) {
  if (!picked || picked.patrol === null) return;
  found.replaceChildren(make("p", { class: "small muted" }, say("looking")));
  try {
    const seats = await ask("GET", `/replacements?member=${encodeURIComponent(picked.member)}&patrol=${encodeURIComponent(picked.patrol)}`);
    found.replaceChildren(...stepIns(seats, names, (patrol, seat, member) => void change("/edits", { kind: "place", patrol, seat, member })));
  } catch (error) {
    found.replaceChildren();
    await refused(error);
  }
}

// ---- changing

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {string} [word]
 */
async function change(path, body, word = "done") {
  if (busy || !editable) return;
  busy = true;
  document.body.classList.add("saving");
  try {
    board = await ask("POST", path, body ?? {});
    byId("alert").hidden = true;
    letGo();
    redraw();
    tell(say(word));
  } catch (error) {
    letGo();
    await refused(error);
  } finally {
    busy = false;
    document.body.classList.remove("saving");
  }
}

/** @param {HTMLElement|null} seat */
async function drop(seat) {
  if (!picked) return;
  await arriving; // a quick drop waits for what it would do
  const what = /** @type {Picked|null} */ (picked);
  const target = seat ? targets.get(placeKey(seat.dataset.patrol ?? "", seat.dataset.seat ?? "")) : undefined;
  if (!what || !seat || !target) {
    letGo();
    return;
  }
  if (!target.allowed) {
    const why = target.stops.map((stop) => `${stop.member ? `${names.memberName(stop.member)}：` : ""}${sentence(stop)}`).join("；");
    letGo();
    warn(`${say("cannot")}：${why}`);
    return;
  }
  await change(
    "/edits",
    what.patrol === null
      ? { kind: "place", patrol: target.patrol, seat: target.seat, member: what.member }
      : { kind: target.kind, patrol: what.patrol, seat: what.seat, member: what.member, to_patrol: target.patrol, to_seat: target.seat },
  );
}

/** @returns {Picked|null} */
function focused() {
  const seat = /** @type {HTMLElement|null} */ (document.activeElement?.closest("#board .seat[data-member]"));
  return seat ? { patrol: seat.dataset.patrol ?? "", seat: Number(seat.dataset.seat), member: seat.dataset.member ?? "" } : null;
}

async function lock() {
  const what = picked ?? focused();
  if (!what || what.patrol === null) return;
  const there = names.patrol.get(what.patrol)?.seats[what.seat];
  await change("/locks", { patrol: what.patrol, seat: what.seat, locked: !there?.locked });
}

async function remove() {
  const what = picked ?? focused();
  if (!what || what.patrol === null) return;
  await change("/edits", { kind: "remove", patrol: what.patrol, seat: what.seat, member: what.member });
}

/** @param {HTMLElement} seat */
function act(seat) {
  if (!editable) return;
  const key = placeKey(seat.dataset.patrol ?? "", seat.dataset.seat ?? "");
  if (picked && picked.patrol !== null && key === placeKey(picked.patrol, picked.seat)) {
    letGo();
  } else if (picked) {
    void drop(seat);
  } else if (seat.dataset.member) {
    pick({ patrol: seat.dataset.patrol ?? "", seat: Number(seat.dataset.seat), member: seat.dataset.member });
  }
}

function listen() {
  table.addEventListener("click", (event) => {
    const seat = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest(".seat"));
    if (!seat) return;
    focusSeat(table, seat);
    act(seat);
  });
  table.addEventListener("pointerover", (event) => picked && hover(/** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest(".seat"))));
  table.addEventListener("focusin", (event) => picked && hover(/** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest(".seat"))));
  moveByArrows(table);
  document.addEventListener("keydown", (event) => {
    const writing = /** @type {HTMLElement} */ (event.target).closest("input, select, textarea, dialog");
    if (writing) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.key === "Escape") letGo();
    else if (!editable) return;
    else if (control && key === "z" && !event.shiftKey) void (board.undo && change("/undo", {}, "undone"));
    else if (control && (key === "y" || (key === "z" && event.shiftKey))) void (board.redo && change("/redo", {}, "redone"));
    else if (control || event.altKey) return;
    else if (key === "l") void lock();
    else if (event.key === "Delete" || event.key === "Backspace") void remove();
    else return;
    event.preventDefault();
  });
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) button.addEventListener("click", () => setView(button.dataset.view ?? "board"));
  byId("print").addEventListener("click", () => window.print());
  const start = async (/** @type {string} */ path, /** @type {unknown} */ body) => {
    try {
      await follow(await ask("POST", path, body));
    } catch (error) {
      await refused(error);
    }
  };
  whatIfDialog(() => ({ board }), (asked) => start("/what-if", asked));
  if (!editable) {
    document.getElementById("copy")?.addEventListener("click", () => {
      ask("POST", "/draft", {}).then((made) => location.assign(made.url), refused);
    });
    return;
  }
  byId("undo").addEventListener("click", () => void change("/undo", {}, "undone"));
  byId("redo").addEventListener("click", () => void change("/redo", {}, "redone"));
  byId("resolve").addEventListener("click", () => void start("/resolve", {}));
  sickDialog(() => ({ board, names }), (path, body) => change(path, body));
  byId("people").addEventListener("click", (event) => {
    const person = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest(".person"));
    if (!person) return;
    const member = person.dataset.member ?? "";
    if (picked?.patrol === null && picked.member === member) letGo();
    else pick({ patrol: null, seat: 0, member });
  });
  letDrag(byId("desk"), table, {
    start: (from) => {
      if (busy) return false;
      pick(
        from.dataset.drag
          ? { patrol: null, seat: 0, member: from.dataset.member ?? "" }
          : { patrol: from.dataset.patrol ?? "", seat: Number(from.dataset.seat), member: from.dataset.member ?? "" },
      );
      return true;
    },
    over: hover,
    drop: (seat) => void drop(seat),
  });
}

try {
  board = await ask("GET", "");
  redraw();
  listen();
} catch (error) {
  table.replaceChildren(make("p", { class: "alert", role: "alert" }, error instanceof Refused ? error.message : String(error)));
}
