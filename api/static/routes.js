// @ts-check
// The phone's own time goes with each check-in; the server keeps both.
for (const form of document.querySelectorAll("form[action$='/check-in']")) {
  form.addEventListener("submit", () => {
    const field = /** @type {HTMLInputElement} */ (form.querySelector("[name=device_at]"));
    field.value = new Date().toISOString();
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    // A second tap sends nothing more; the client id would make it count once anyway.
    setTimeout(() => { button.disabled = true; }, 0);
  });
}
