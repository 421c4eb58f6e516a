// @ts-check
// The two questions that take more than a drop: a sick call, and a what-if.

import { Refused, ask, byId, forceName, make, say, sentence } from "./desk_parts.js";
import { dayOptions } from "./desk_panels.js";

/** @typedef {import("./desk_parts.js").Board} Board */
/** @typedef {import("./desk_parts.js").Names} Names */

/** @param {Board} board @param {boolean} optional */
function memberOptions(board, optional) {
  const groups = [...new Set(board.members.map((member) => member.force))];
  return [
    make("option", { value: "" }, say("choose_member")),
    ...(optional ? groups.map((force) => make("option", { value: `force:${force}` }, forceName(force))) : []),
    ...groups.map((force) =>
      make("optgroup", { label: forceName(force) }, ...board.members.filter((one) => one.force === force).map((one) => make("option", { value: one.key }, one.name)))),
  ];
}

/**
 * Who could step in, seat by seat, the best first.
 * @param {any[]} found
 * @param {Names} names
 * @param {((patrol: string, seat: number, member: string) => void)|null} place
 */
export function stepIns(found, names, place) {
  return found.map((seat) =>
    make("div", { class: "step-in" },
      make("strong", {}, names.patrolName(seat.patrol)),
      seat.choices.length
        ? make("ol", {}, ...seat.choices.slice(0, 6).map((/** @type {any} */ one, /** @type {number} */ n) =>
            make("li", {},
              make("strong", {}, one.name), " ",
              make("span", {}, `${sentence(one)}${one.phone ? ` ${one.phone}` : ""}`), " ",
              n === 0 ? make("span", { class: "tag good" }, say("best")) : null,
              place && one.changes === 1 ? make("button", { type: "button", onclick: () => place(seat.patrol, seat.seat, one.member) }, say("put_in")) : null,
              one.changes > 1 ? make("span", { class: "small muted" }, say("two_steps", { n: one.changes })) : null)))
        : make("p", { class: "small" }, say("nobody_can"))));
}

/**
 * @param {() => {board: Board, names: Names}} now
 * @param {(path: string, body: unknown) => Promise<void>} change
 */
export function sickDialog(now, change) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("sick"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const [member, from, to] = ["member", "from", "to"].map((name) => /** @type {HTMLSelectElement} */ (form.elements.namedItem(name)));
  const found = /** @type {HTMLElement} */ (dialog.querySelector(".found"));
  const look = async () => {
    if (Number(to.value) < Number(from.value)) to.value = from.value;
    found.replaceChildren();
    if (!member.value) return;
    const { board, names } = now();
    found.replaceChildren(make("p", { class: "small muted" }, say("looking")));
    try {
      const days = new Map(board.patrols.map((patrol) => [patrol.key, patrol.day]));
      const all = await ask("GET", `/replacements?member=${encodeURIComponent(member.value)}&day=${from.value}`);
      const mine = all.filter((/** @type {any} */ seat) => (days.get(seat.patrol) ?? 0) <= Number(to.value));
      found.replaceChildren(...(mine.length ? stepIns(mine, names, null) : [make("p", { class: "small" }, say("no_patrols_then"))]));
    } catch (error) {
      found.replaceChildren(make("p", { class: "alert" }, error instanceof Refused ? error.message : String(error)));
    }
  };
  for (const field of [member, from, to]) field.addEventListener("change", () => void look());
  byId("sick-open").addEventListener("click", () => {
    const { board } = now();
    member.replaceChildren(...memberOptions(board, false));
    from.replaceChildren(...dayOptions(board));
    to.replaceChildren(...dayOptions(board));
    found.replaceChildren();
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "ok" && member.value) {
      void change("/sick", { member: member.value, from_day: Number(from.value), to_day: Number(to.value) });
    }
  });
}

/**
 * @param {() => {board: Board}} now
 * @param {(body: unknown) => Promise<void>} solve
 */
export function whatIfDialog(now, solve) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("whatif"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const field = (/** @type {string} */ name) => /** @type {HTMLSelectElement|HTMLInputElement} */ (form.elements.namedItem(name));
  const kind = field("kind");
  const show = () => {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll(".fields"))) part.hidden = !(part.dataset.for ?? "").split(" ").includes(kind.value);
  };
  kind.addEventListener("change", show);
  byId("whatif-open").addEventListener("click", () => {
    const { board } = now();
    field("member").replaceChildren(...memberOptions(board, true).slice(1));
    field("zone").replaceChildren(...board.zones.map((zone) => make("option", { value: zone.key }, zone.name)));
    field("shift").replaceChildren(...board.shifts.map((shift) => make("option", { value: shift.key }, shift.name)));
    show();
    dialog.returnValue = "";
    dialog.showModal();
  });
  const minutes = (/** @type {string} */ name) => {
    const [hour, minute] = field(name).value.split(":").map(Number);
    return hour * 60 + minute;
  };
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "ok") return;
    /** @type {Record<string, unknown>} */
    const asked = { kind: kind.value };
    if (kind.value === "one_fewer") {
      const chosen = field("member").value;
      if (chosen.startsWith("force:")) asked.force = chosen.slice(6);
      else asked.member = chosen;
    } else if (kind.value === "requirement") {
      const [start, end] = [minutes("start"), minutes("end")];
      Object.assign(asked, { zone: field("zone").value, band_start_min: start, band_end_min: end > start ? end : end + 1440, visits: Number(field("visits").value) });
    } else if (kind.value === "minimum") {
      Object.assign(asked, { zone: field("zone").value, shift: field("shift").value, minimum: Number(field("minimum").value) });
    }
    void solve(asked);
  });
}
