// @ts-check
// What the desk's modules share: the answers' shapes, words, small pieces of page.

/**
 * @typedef {{member: string|null, leader: boolean, required: boolean, forces: string[], locked: boolean}} Seat
 * @typedef {{key: string, day: number, shift: string, zone: string, type: string, tier: string, walked: boolean, seats: Seat[]}} Patrol
 * @typedef {{key: string, name: string, force: string, employer: string|null, home_zone: string|null, load_bp: number, minutes: number, patrols: number, nights: number, patrols_max: number, nights_max: number, days_off: number[], leave: number[]}} Member
 * @typedef {{rule: string, zh: string, en: string, member: string|null}} Stop
 * @typedef {{patrol: string, seat: number}} Place
 * @typedef {{patrol: string, seat: number, kind: string, allowed: boolean, stops: Stop[], fairness_bp: number, opens: Place[], closes: Place[], gap_min: number, cost_by_level: Record<string, number>}} Target
 * @typedef {{index: number, date: string, kind: string}} Day
 * @typedef {{key: string, name: string, start_min: number, end_min: number}} Shift
 * @typedef {{rank: number, patrol: string, seat: number, required: boolean, zh: string, en: string, candidates: {member: string, rule: string, zh: string, en: string}[]}} EmptySeat
 * @typedef {{version: {id: number, state: string}, days: Day[], shifts: Shift[], zones: {key: string, name: string}[], types: {key: string, name: string}[], members: Member[], patrols: Patrol[], empty_seats: EmptySeat[], fairness: any[], patrol_day: [number, number], coverage_gaps: any[], levels: any[], violations: Stop[], undo: boolean, redo: boolean}} Board
 */

const root = /** @type {HTMLElement} */ (document.getElementById("desk"));
/** @type {Record<string, any>} */
export const words = JSON.parse(root.dataset.words ?? "{}");
export const english = root.dataset.locale === "en";
export const editable = root.dataset.editable === "yes";
const api = root.dataset.api ?? "";

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {string} name
 * @param {Record<string, string|number>} [values]
 * @returns {string}
 */
export function say(name, values = {}) {
  return String(words[name]).replace(/%\((\w+)\)s/g, (_, key) => String(values[key])).replaceAll("%%", "%");
}

/** @param {{zh: string, en: string}} told */
export const sentence = (told) => (english ? told.en : told.zh);

/**
 * Make an element. Text is always text: nothing from the server is taken for markup.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) => child ?? ""));
  return made;
}

/**
 * @param {string} tag
 * @param {Record<string, string|number>} attributes
 * @param {...Node} children
 */
export function draw(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A refusal of the server, with its sentence. */
export class Refused extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/**
 * Ask the desk. Raises Refused with a sentence to show.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(method, path, body, signal) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(path.startsWith("/") && path.startsWith("/api") ? path : api + path, {
      method,
      signal,
      headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": document.body.dataset.csrf ?? "" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(0, say("offline"));
  }
  if (answer.ok) return answer.json();
  if (answer.status === 401) throw new Refused(401, say("signed_out"));
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.detail ?? `${answer.status}`);
}

/** @param {number} minutes */
export function clock(minutes) {
  const time = `${String(Math.floor((minutes % 1440) / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return minutes < 1440 ? time : `${words.next_day}${time}`;
}

/** @param {Day} day */
export const weekday = (day) => words.weekdays[(new Date(`${day.date}T12:00:00`).getDay() + 6) % 7];

/** @param {Day} day */
export const dayName = (day) => `${weekday(day)} ${day.date.slice(5)}`;

/** @param {number} value @param {number} [digits] */
export const signed = (value, digits = 0) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(digits);

/** @param {string} patrol @param {number|string} seat */
export const placeKey = (patrol, seat) => `${patrol}#${seat}`;

/** @param {string} name */
export const forceName = (name) => words.forces[name] ?? name;

/** Names looked up by key, made anew for each board. */
export class Names {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
    this.member = new Map(board.members.map((one) => [one.key, one]));
    this.patrol = new Map(board.patrols.map((one) => [one.key, one]));
    this.shift = new Map(board.shifts.map((one) => [one.key, one]));
    this.zone = new Map(board.zones.map((one) => [one.key, one.name]));
    this.type = new Map(board.types.map((one) => [one.key, one.name]));
  }

  /** @param {string} key @returns {string} */
  patrolName(key) {
    const patrol = this.patrol.get(key);
    if (!patrol) return key;
    const day = this.board.days[patrol.day];
    return `${dayName(day)} ${this.shift.get(patrol.shift)?.name ?? ""} ${this.zone.get(patrol.zone) ?? ""}`;
  }

  /** @param {string|null|undefined} key @returns {string} */
  memberName(key) {
    return (key && this.member.get(key)?.name) || key || "";
  }
}
