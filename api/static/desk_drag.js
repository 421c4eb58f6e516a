// @ts-check
// Dragging with mouse, pen or finger. A finger must rest before it drags, so that it can scroll.

const MOVED_PX = 6;
const REST_MS = 280;
const EDGE_PX = 48;
const STEP_PX = 14;

/**
 * @param {HTMLElement} root where what can be dragged lives
 * @param {HTMLElement} board what scrolls when a drag nears its edge
 * @param {{start: (from: HTMLElement) => boolean, over: (target: HTMLElement|null) => void, drop: (target: HTMLElement|null) => void}} on
 */
export function letDrag(root, board, on) {
  /** @type {{from: HTMLElement, id: number, x: number, y: number, ghost: HTMLElement|null, timer: number}|null} */
  let held = null;
  let dragged = false;

  /** @param {number} x @param {number} y */
  function begin(x, y) {
    if (!held || !on.start(held.from)) {
      end();
      return;
    }
    dragged = true;
    held.ghost = /** @type {HTMLElement} */ (held.from.cloneNode(true));
    held.ghost.classList.add("ghost");
    held.ghost.removeAttribute("data-patrol");
    document.body.append(held.ghost);
    document.body.classList.add("dragging");
    move(x, y);
  }

  /** @param {number} x @param {number} y */
  function move(x, y) {
    if (!held?.ghost) return;
    held.ghost.style.transform = `translate(${x + 8}px, ${y + 8}px)`;
    const under = document.elementFromPoint(x, y);
    on.over(/** @type {HTMLElement|null} */ (under?.closest("#board .seat") ?? null));
    const box = board.getBoundingClientRect();
    if (y > box.top && y < box.bottom) {
      if (x > box.right - EDGE_PX) board.scrollLeft += STEP_PX;
      else if (x < box.left + EDGE_PX) board.scrollLeft -= STEP_PX;
    }
    if (y > window.innerHeight - EDGE_PX) window.scrollBy(0, STEP_PX);
    else if (y < EDGE_PX) window.scrollBy(0, -STEP_PX);
  }

  function end() {
    if (!held) return;
    clearTimeout(held.timer);
    held.ghost?.remove();
    held = null;
    document.body.classList.remove("dragging");
  }

  root.addEventListener("pointerdown", (event) => {
    const from = /** @type {HTMLElement|null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-drag], #board .seat[data-member]"));
    if (!from || event.button !== 0 || held) return;
    dragged = false;
    const { clientX: x, clientY: y } = event;
    held = { from, id: event.pointerId, x, y, ghost: null, timer: 0 };
    if (event.pointerType === "touch") held.timer = window.setTimeout(() => begin(x, y), REST_MS);
  });
  window.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    if (held.ghost) {
      move(event.clientX, event.clientY);
      return;
    }
    if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < MOVED_PX) return;
    if (event.pointerType === "touch") end(); // it scrolls
    else begin(event.clientX, event.clientY);
  });
  window.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const was = Boolean(held.ghost);
    const under = document.elementFromPoint(event.clientX, event.clientY);
    end();
    if (was) on.drop(/** @type {HTMLElement|null} */ (under?.closest("#board .seat") ?? null));
  });
  window.addEventListener("pointercancel", () => {
    const was = Boolean(held?.ghost);
    end();
    if (was) on.drop(null);
  });
  // While something is dragged a finger does not scroll.
  document.addEventListener("touchmove", (event) => held?.ghost && event.preventDefault(), { passive: false });
  root.addEventListener("dragstart", (event) => event.preventDefault());
  root.addEventListener("contextmenu", (event) => held && event.preventDefault());
  // The click that a drag ends with is none.
  root.addEventListener("click", (event) => {
    if (dragged) {
      event.stopImmediatePropagation();
      event.preventDefault();
      dragged = false;
    }
  }, true);
}
