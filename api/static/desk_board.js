// @ts-check
// The board itself: day × shift × zone, and member × day. Every seat is a button.

import { clock, dayName, forceName, make, placeKey, say, weekday } from "./desk_parts.js";

/** @typedef {import("./desk_parts.js").Board} Board */
/** @typedef {import("./desk_parts.js").Names} Names */
/** @typedef {import("./desk_parts.js").Patrol} Patrol */

/**
 * @param {Patrol} patrol
 * @param {number} n
 * @param {Names} names
 * @param {boolean} byMember
 */
function seatButton(patrol, n, names, byMember) {
  const seat = patrol.seats[n];
  const member = seat.member ? names.member.get(seat.member) : undefined;
  const forces = seat.forces.map(forceName).join("/");
  const shift = names.shift.get(patrol.shift);
  const face = byMember
    ? `${shift?.name ?? ""} ${names.zone.get(patrol.zone) ?? ""}`
    : member
      ? member.name
      : `${seat.required ? say("nobody") : say("may_stay_empty")}·${forces}`;
  const label = [
    names.patrolName(patrol.key),
    names.type.get(patrol.type),
    member ? `${forceName(member.force)} ${member.name}` : `${say("nobody")} ${forces}`,
    seat.leader ? say("leads") : "",
    seat.locked ? say("locked") : "",
  ].filter(Boolean).join("，");
  const classes = ["seat", member ? `force-${member.force}` : "vacant", seat.locked ? "locked" : "", !member && seat.required ? "wanted" : ""];
  return make(
    "button",
    {
      type: "button",
      class: classes.filter(Boolean).join(" "),
      "data-patrol": patrol.key,
      "data-seat": n,
      "data-member": seat.member,
      "aria-label": label,
      title: label,
      tabindex: -1,
    },
    seat.leader && member ? make("span", { class: "star", "aria-hidden": "true" }, "★") : null,
    make("span", {}, face),
    seat.locked ? make("span", { class: "lock", "aria-hidden": "true" }, say("lock")) : null,
  );
}

/** @param {Patrol} patrol @param {Names} names */
function card(patrol, names) {
  return make(
    "div",
    { class: `patrol ${patrol.walked ? "" : "halted"}`, "data-card": patrol.key },
    make("div", { class: "type" }, names.type.get(patrol.type) ?? patrol.type),
    ...patrol.seats.map((_, n) => seatButton(patrol, n, names, false)),
    patrol.walked ? null : make("div", { class: "small bad" }, say("not_walked")),
  );
}

/** @param {Board} board */
const shown = (board) => board.patrols.filter((patrol) => patrol.walked || patrol.tier !== "extra");

/** @param {Board} board @param {Names} names */
export function boardTable(board, names) {
  /** @type {Map<string, Patrol[]>} */
  const at = new Map();
  const used = new Set();
  for (const patrol of shown(board)) {
    const key = `${patrol.day}|${patrol.shift}|${patrol.zone}`;
    at.set(key, [...(at.get(key) ?? []), patrol]);
    used.add(`${patrol.day}|${patrol.shift}`);
  }
  const bodies = board.days.map((day) => {
    const shifts = board.shifts.filter((shift) => used.has(`${day.index}|${shift.key}`));
    const kind = day.kind === "holiday" || day.kind === "compensatory_workday" ? say(day.kind) : "";
    const head = (/** @type {number} */ rows) =>
      make("th", { scope: "rowgroup", rowspan: rows, class: "day" }, make("span", {}, weekday(day)), make("span", {}, day.date.slice(5)), kind ? make("span", { class: "tag warn" }, kind) : null);
    const rows = shifts.map((shift, n) =>
      make(
        "tr",
        {},
        n === 0 ? head(shifts.length) : null,
        make("th", { scope: "row", class: "shift" }, make("span", {}, shift.name), make("span", { class: "small muted" }, `${clock(shift.start_min)}–${clock(shift.end_min)}`)),
        ...board.zones.map((zone) =>
          make("td", {}, ...(at.get(`${day.index}|${shift.key}|${zone.key}`) ?? []).map((patrol) => card(patrol, names))),
        ),
      ),
    );
    if (!rows.length) rows.push(make("tr", {}, head(1), make("td", { colspan: board.zones.length + 1, class: "muted" }, say("no_patrol"))));
    return make("tbody", { class: day.kind }, ...rows);
  });
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("date")), make("th", { scope: "col" }, say("shift")), ...board.zones.map((zone) => make("th", { scope: "col" }, zone.name)))),
    ...bodies,
  );
}

/** @param {Board} board @param {Names} names */
export function memberTable(board, names) {
  /** @type {Map<string, [Patrol, number][]>} */
  const of = new Map();
  for (const patrol of shown(board)) {
    patrol.seats.forEach((seat, n) => {
      if (seat.member) {
        const key = `${seat.member}|${patrol.day}`;
        of.set(key, [...(of.get(key) ?? []), [patrol, n]]);
      }
    });
  }
  const groups = [...new Set(board.members.map((member) => member.force))].map((force) => {
    const rows = board.members.filter((member) => member.force === force).map((member) =>
      make(
        "tr",
        {},
        make("th", { scope: "row", class: "member" }, make("span", {}, member.name), make("span", { class: "small muted" }, `${(member.load_bp / 100).toFixed(0)}% · ${say("times", { n: member.patrols, max: member.patrols_max })} · ${say("nights", { n: member.nights, max: member.nights_max })}`)),
        ...board.days.map((day) =>
          make(
            "td",
            { class: member.leave.includes(day.index) ? "away" : member.days_off.includes(day.index) ? "off" : "" },
            member.leave.includes(day.index) ? make("span", { class: "small muted" }, say("leave")) : member.days_off.includes(day.index) ? make("span", { class: "small muted" }, say("day_off")) : null,
            ...(of.get(`${member.key}|${day.index}`) ?? []).map(([patrol, n]) => seatButton(patrol, n, names, true)),
          ),
        ),
      ),
    );
    return make("tbody", {}, make("tr", {}, make("th", { colspan: board.days.length + 1, scope: "rowgroup", class: "force" }, forceName(force))), ...rows);
  });
  return make(
    "table",
    { class: "by-member" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("member")), ...board.days.map((day) => make("th", { scope: "col" }, dayName(day))))),
    ...groups,
  );
}

/**
 * Let the arrow keys go from seat to seat, to the nearest in that direction.
 * @param {HTMLElement} board
 */
export function moveByArrows(board) {
  board.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const here = /** @type {HTMLElement|null} */ (document.activeElement?.closest(".seat"));
    if (!way || !here || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const from = here.getBoundingClientRect();
    let best = /** @type {HTMLElement|null} */ (null);
    let least = Infinity;
    for (const seat of /** @type {NodeListOf<HTMLElement>} */ (board.querySelectorAll(".seat"))) {
      const to = seat.getBoundingClientRect();
      const dx = to.left - from.left;
      const dy = to.top - from.top;
      const along = dx * way[0] + dy * way[1];
      if (seat === here || along < 4) continue;
      // Off the straight line counts three times: a key goes along its row or column first.
      const far = along + 3 * Math.abs(dx * way[1] + dy * way[0]);
      if (far < least) [least, best] = [far, seat];
    }
    if (best) focusSeat(board, best);
  });
}

/** @param {HTMLElement} board @param {HTMLElement} seat */
export function focusSeat(board, seat) {
  for (const other of board.querySelectorAll('.seat[tabindex="0"]')) other.setAttribute("tabindex", "-1");
  seat.setAttribute("tabindex", "0");
  seat.focus({ preventScroll: true });
  seat.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @param {HTMLElement} board @param {string} patrol @param {number|string} seat */
export function findSeat(board, patrol, seat) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (board.querySelectorAll(".seat"))) {
    if (placeKey(button.dataset.patrol ?? "", button.dataset.seat ?? "") === placeKey(patrol, seat)) return button;
  }
  return null;
}
