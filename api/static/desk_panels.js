// @ts-check
// What stands beside the board: shortages with fixes, people, fairness, coverage gaps, levels.

import { Refused, ask, clock, dayName, draw, editable, forceName, make, say, sentence, words } from "./desk_parts.js";

/** @typedef {import("./desk_parts.js").Board} Board */
/** @typedef {import("./desk_parts.js").Names} Names */

/**
 * @param {HTMLElement} panel
 * @param {Board} board
 * @param {Names} names
 * @param {(asked: unknown) => void} apply
 * @param {(patrol: string, seat: number) => void} show
 */
export function shortages(panel, board, names, apply, show) {
  panel.replaceChildren();
  if (board.violations.length) {
    panel.append(make("div", { class: "warning" }, say("violations", { n: board.violations.length }), make("ul", {}, ...board.violations.map((one) => make("li", {}, sentence(one))))));
  }
  if (!board.empty_seats.length) {
    panel.append(make("p", { class: "muted" }, say("no_shortage")));
    return;
  }
  const list = make("ol", { class: "shortages" });
  for (const empty of board.empty_seats) {
    const found = make("div", { class: "fixes", "aria-live": "polite" });
    const button = make("button", { type: "button", onclick: () => void look() }, say("see_fixes"));
    const look = async () => {
      found.replaceChildren(make("p", { class: "small muted" }, say("looking")));
      try {
        const fixes = await ask("GET", `/fixes?patrol=${encodeURIComponent(empty.patrol)}&seat=${empty.seat}`);
        found.replaceChildren(
          ...(fixes.length
            ? fixes.map((/** @type {any} */ fix) => make("div", { class: "fix" }, make("span", {}, sentence(fix)), make("button", { type: "button", class: "primary", onclick: () => apply(fix.edit) }, say("apply"))))
            : [make("p", { class: "small" }, say("no_fix"))]),
        );
      } catch (error) {
        found.replaceChildren(make("p", { class: "alert" }, error instanceof Refused ? error.message : String(error)));
      }
    };
    list.append(
      make(
        "li",
        { "data-empty": `${empty.patrol}#${empty.seat}` },
        make("button", { type: "button", class: "link", onclick: () => show(empty.patrol, empty.seat) }, names.patrolName(empty.patrol)),
        make("p", { class: "small" }, sentence(empty)),
        empty.candidates.length
          ? make("details", { class: "small" }, make("summary", {}, say("could", { n: empty.candidates.length })), make("ul", {}, ...empty.candidates.map((one) => make("li", {}, `${names.memberName(one.member)}：${one.rule === "free" ? say("free_reason") : sentence(one)}`))))
          : make("p", { class: "small muted" }, say("nobody_could")),
        editable ? button : null,
        found,
      ),
    );
  }
  panel.append(list);
}

/**
 * The people, least loaded first: pick one up to place.
 * @param {HTMLElement} panel
 * @param {Board} board
 */
export function people(panel, board) {
  const kept = { text: "", force: "" };
  const before = /** @type {HTMLInputElement|null} */ (panel.querySelector("input"));
  const chosen = /** @type {HTMLSelectElement|null} */ (panel.querySelector("select"));
  if (before) kept.text = before.value;
  if (chosen) kept.force = chosen.value;
  const forces = [...new Set(board.members.map((member) => member.force))];
  const text = /** @type {HTMLInputElement} */ (make("input", { type: "search", placeholder: say("search"), "aria-label": say("search"), value: kept.text }));
  const force = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": say("all_forces") }, make("option", { value: "" }, say("all_forces")), ...forces.map((key) => make("option", { value: key, selected: key === kept.force }, forceName(key)))));
  const list = make("ul", { class: "people plain" });
  const fill = () => {
    const found = board.members
      .filter((one) => (!force.value || one.force === force.value) && one.name.includes(text.value.trim()))
      .sort((a, b) => a.load_bp - b.load_bp);
    list.replaceChildren(
      ...(found.length
        ? found.map((one) =>
            make("li", {},
              make("button", { type: "button", class: `person force-${one.force}`, "data-drag": "member", "data-member": one.key },
                make("span", {}, one.name),
                make("span", { class: "small muted" }, `${(one.load_bp / 100).toFixed(0)}% · ${say("times", { n: one.patrols, max: one.patrols_max })}`),
                one.leave.length ? make("span", { class: "tag warn" }, say("leave")) : null)))
        : [make("li", { class: "muted small" }, say("no_match"))]),
    );
  };
  text.addEventListener("input", fill);
  force.addEventListener("change", fill);
  fill();
  panel.replaceChildren(make("div", { class: "row" }, text, force), list);
}

/** @param {HTMLElement} panel @param {Board} board */
export function fairness(panel, board) {
  const most = Math.max(1, ...board.fairness.map((one) => one.highest_bp));
  const wide = 240;
  const x = (/** @type {number} */ bp) => (wide * Math.max(0, bp)) / most;
  panel.replaceChildren(
    ...board.fairness.map((one) => {
      const spreads = [...one.history_bp, one.spread_bp];
      const top = Math.max(1, ...spreads);
      const range = say("range", { low: (one.lowest_bp / 100).toFixed(0), mean: (one.mean_bp / 100).toFixed(0), high: (one.highest_bp / 100).toFixed(0) });
      const bars = spreads.map((bp, n) =>
        draw("rect", { x: wide + 16 + n * 9, y: 20 - (18 * bp) / top, width: 7, height: Math.max(1, (18 * bp) / top), class: n === spreads.length - 1 ? "now" : "past" }));
      const chart = draw("svg", { viewBox: `0 0 ${wide + 20 + 9 * 9} 22`, role: "img", "aria-label": `${range}` },
        draw("rect", { x: 0, y: 9, width: wide, height: 4, class: "ground" }),
        draw("rect", { x: x(one.lowest_bp), y: 6, width: Math.max(2, x(one.highest_bp) - x(one.lowest_bp)), height: 10, rx: 3, class: "span" }),
        draw("rect", { x: x(one.mean_bp) - 1, y: 3, width: 2, height: 16, class: "mean" }),
        ...bars);
      return make("div", { class: "force-load" },
        make("div", { class: "row spread" },
          make("strong", {}, `${forceName(one.force)}${one.employer ? ` · ${one.employer}` : ""}`),
          make("span", { class: "small" }, `${say("people", { n: one.members })} · ${say("spread", { n: (one.spread_bp / 100).toFixed(1) })}`)),
        chart,
        make("span", { class: "small muted" }, range + (one.history_bp.length ? ` · ${say("past_weeks", { list: one.history_bp.map((/** @type {number} */ bp) => (bp / 100).toFixed(1)).join("、") })}` : "")));
    }),
  );
}

let gapDay = 0;

/** @param {HTMLElement} panel @param {Board} board @param {Names} names */
export function gaps(panel, board, names) {
  gapDay = Math.min(gapDay, board.days.length - 1);
  const [opens, closes] = board.patrol_day;
  const last = Math.max(closes, 1440);
  const wide = 300;
  const x = (/** @type {number} */ minute) => (wide * (Math.min(Math.max(minute, opens), last) - opens)) / (last - opens);
  const days = make("div", { class: "row days" }, ...board.days.map((day) =>
    make("button", { type: "button", "aria-pressed": String(day.index === gapDay), onclick: () => { gapDay = day.index; gaps(panel, board, names); } }, words.weekdays[(new Date(`${day.date}T12:00:00`).getDay() + 6) % 7])));
  const hours = [];
  for (let minute = Math.ceil(opens / 240) * 240; minute <= last; minute += 240) {
    const label = draw("text", { x: x(minute), y: 8, "text-anchor": "middle" });
    label.textContent = String((minute / 60) % 24);
    hours.push(label);
  }
  const rows = board.coverage_gaps.filter((gap) => gap.day === gapDay).map((gap) => {
    const teams = [...gap.teams].sort((a, b) => a[0] - b[0]);
    let [from, best, at] = [opens, 0, opens];
    for (const [start, end] of [...teams, [closes, closes]]) {
      if (start - from > best) [best, at] = [start - from, from];
      from = Math.max(from, end);
    }
    const told = teams.length ? say("gap", { n: gap.gap_min }) : say("no_team");
    const title = draw("title", {});
    title.textContent = say("gap_title", { zone: names.zone.get(gap.zone) ?? gap.zone, teams: teams.map(([a, b]) => `${clock(a)}–${clock(b)}`).join("、") || say("no_team") });
    return make("div", { class: "gap-row" },
      make("span", { class: "small zone" }, names.zone.get(gap.zone) ?? gap.zone),
      draw("svg", { viewBox: `0 0 ${wide} 12`, role: "img", "aria-label": told, preserveAspectRatio: "none" }, title,
        draw("rect", { x: 0, y: 0, width: wide, height: 12, class: "ground" }),
        draw("rect", { x: x(at), y: 0, width: Math.max(0, x(at + best) - x(at)), height: 12, class: "worst" }),
        ...teams.map(([a, b]) => draw("rect", { x: x(a), y: 1.5, width: Math.max(1, x(b) - x(a)), height: 9, class: "team" }))),
      make("span", { class: "small number" }, teams.length ? say("minutes", { n: gap.gap_min }) : say("no_team")));
  });
  panel.replaceChildren(days, make("p", { class: "small muted" }, say("gap_legend")), make("div", { class: "gap-row" }, make("span"), draw("svg", { viewBox: `-6 0 ${wide + 12} 10`, class: "hours" }, ...hours), make("span")), ...rows);
}

/** @param {HTMLElement} panel @param {Board} board */
export function levels(panel, board) {
  panel.replaceChildren(
    make("table", { class: "small" },
      make("thead", {}, make("tr", {}, make("th", {}, ""), make("th", { class: "number" }, say("cost")), make("th", { class: "number" }, say("bound")))),
      make("tbody", {}, ...board.levels.map((one) =>
        make("tr", {}, make("td", {}, words.levels[one.level] ?? one.level), make("td", { class: "number" }, String(one.cost)), make("td", { class: "number" }, one.proven ? say("proven") : String(one.bound)))))),
  );
}

/** @param {Board} board @returns {HTMLElement[]} */
export const dayOptions = (board) => board.days.map((day) => make("option", { value: day.index }, dayName(day)));
