// The report form: the phone's own position, one send only, categories that follow the class;
// and the ledger's filters, folded on a phone until they are asked for.

/** @param {HTMLFormElement} form */
function followClass(form) {
  const classes = /** @type {NodeListOf<HTMLInputElement>} */ (
    form.querySelectorAll('input[name="incident_class"]')
  );
  for (const input of classes) {
    input.addEventListener("change", () => {
      const other = /** @type {NodeListOf<HTMLInputElement>} */ (
        form.querySelectorAll('input[name="category"]:checked')
      );
      for (const kind of other) {
        if (kind.closest("[data-kinds]")?.getAttribute("data-kinds") !== input.value) {
          kind.checked = false;
        }
      }
    });
  }
}

/** @param {HTMLFormElement} form */
function offerPosition(form) {
  const button = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-locate]"));
  const said = /** @type {HTMLElement | null} */ (form.querySelector("[data-located]"));
  const lon = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="lon"]'));
  const lat = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="lat"]'));
  // A browser gives its position to safe origins only: elsewhere the button would do nothing.
  if (!button || !said || !lon || !lat || !window.isSecureContext || !navigator.geolocation) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    said.textContent = said.dataset.asking ?? "";
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      (position) => {
        lon.value = position.coords.longitude.toFixed(7);
        lat.value = position.coords.latitude.toFixed(7);
        const metres = String(Math.ceil(position.coords.accuracy));
        said.textContent = (said.dataset.found ?? "").replace("{m}", metres);
        button.disabled = false;
      },
      (error) => {
        const denied = error.code === error.PERMISSION_DENIED;
        said.textContent = (denied ? said.dataset.denied : said.dataset.failed) ?? "";
        button.disabled = false;
      },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 },
    );
  });
}

/** @param {HTMLFormElement} form */
function sendOnce(form) {
  form.addEventListener("submit", () => {
    const button = /** @type {HTMLButtonElement | null} */ (form.querySelector(".send button"));
    if (button) {
      button.disabled = true;
    }
  });
  // Back from the next page: the form may be mended and sent again.
  window.addEventListener("pageshow", () => {
    const button = /** @type {HTMLButtonElement | null} */ (form.querySelector(".send button"));
    if (button) {
      button.disabled = false;
    }
  });
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (
  document.querySelectorAll("form[data-report]")
)) {
  followClass(form);
  offerPosition(form);
  sendOnce(form);
}
const sieve = document.querySelector("details.sieve:not([data-asked])");
if (sieve && window.matchMedia("(max-width: 640px)").matches) {
  sieve.removeAttribute("open");
}
document.getElementById("error")?.scrollIntoView({ block: "center" });
