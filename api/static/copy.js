// @ts-check
/** A button with data-copy="#id" copies that element's text and says so (data-done). */

/** @param {HTMLElement} source */
function select(source) {
  if (source instanceof HTMLTextAreaElement) {
    source.select();
    return;
  }
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} source
 */
async function copy(button, source) {
  const text = source instanceof HTMLTextAreaElement ? source.value : source.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS a browser has no clipboard for scripts: the old command still works.
    select(source);
    document.execCommand("copy");
  }
  const label = button.textContent;
  button.textContent = button.dataset.done ?? label;
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const source = document.querySelector(button.dataset.copy ?? "");
  if (!(source instanceof HTMLElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => copy(button, source));
}
