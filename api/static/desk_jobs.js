// @ts-check
// A search that runs beside the board: how far it is, a button to stop it, and on to its result.

import { Refused, ask, byId, make, say, sentence, words } from "./desk_parts.js";

const EVERY_MS = 800;

/** @param {{run_id: string, url: string}} asked */
export async function follow(asked) {
  const box = byId("solving");
  const stage = make("strong", { role: "status" }, say("queued"));
  const bar = /** @type {HTMLProgressElement} */ (make("progress", { max: 100, value: 0 }));
  const figures = make("span", { class: "small" });
  const stop = /** @type {HTMLButtonElement} */ (make("button", { type: "button" }, say("stop")));
  stop.addEventListener("click", () => {
    stop.disabled = true;
    void fetch(`${asked.url}/stop`, { method: "POST", headers: { "x-csrf-token": document.body.dataset.csrf ?? "" } });
  });
  box.replaceChildren(make("span", { class: "small muted" }, say("solving")), stage, bar, figures, stop);
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
  for (;;) {
    try {
      const job = await ask("GET", `/api/v1/jobs/${asked.run_id}`);
      if (job.state === "done") {
        location.assign(job.result.next ?? location.href);
        return;
      }
      if (job.state === "failed") {
        box.replaceChildren(make("p", { class: "alert", role: "alert" }, `${say("failed")}：${job.error ?? ""}`));
        return;
      }
      const told = job.progress ?? {};
      if (told.zh) stage.textContent = sentence(told);
      bar.value = Math.round(100 * (told.fraction ?? 0));
      figures.textContent = [
        told.level ? (words.levels[told.level] ?? told.level) : "",
        told.cost === undefined || told.cost === null ? "" : `${say("cost")} ${told.cost}`,
        told.bound === undefined || told.bound === null ? "" : `${say("bound")} ${told.bound}`,
        told.empty_seats === undefined || told.empty_seats === null ? "" : say("empty_seats", { n: told.empty_seats }),
        told.seconds === undefined || told.seconds === null ? "" : say("seconds", { n: told.seconds }),
      ].filter(Boolean).join(" · ");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      stage.textContent = error.message; // asked again: a phone's signal comes back
      if (error.status === 401) return;
    }
    await new Promise((next) => setTimeout(next, EVERY_MS));
  }
}
