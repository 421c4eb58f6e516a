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
        setField(form, "picked", "");
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

const CLOSE_M = 420;

/** @param {HTMLFormElement} form */
function offerMap(form) {
  const details = /** @type {HTMLDetailsElement | null} */ (form.querySelector("[data-sketch]"));
  const canvas = form.querySelector("[data-canvas]");
  if (!details || !canvas) {
    return;
  }
  details.hidden = false;
  details.addEventListener("toggle", async () => {
    if (!details.open || canvas.firstElementChild) {
      return;
    }
    const answer = await fetch(details.dataset.sketch ?? "");
    if (!answer.ok) {
      details.open = false;
      return;
    }
    canvas.innerHTML = await answer.text();
    const svg = canvas.querySelector("svg");
    if (svg) {
      pointAt(form, details, svg);
    }
  });
}

/**
 * The first tap comes closer, the next one chooses.
 * @param {HTMLFormElement} form
 * @param {HTMLDetailsElement} details
 * @param {SVGSVGElement} svg
 */
function pointAt(form, details, svg) {
  const whole = svg.getAttribute("viewBox") ?? "";
  const width = Number(whole.split(" ")[2]);
  const height = Number(whole.split(" ")[3]);
  const lon = (svg.dataset.lon ?? "").split(" ").map(Number);
  const lat = (svg.dataset.lat ?? "").split(" ").map(Number);
  const said = /** @type {HTMLElement | null} */ (details.querySelector("[data-pointed]"));
  const spot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  spot.setAttribute("class", "spot");
  spot.setAttribute("r", "6");
  let close = width <= CLOSE_M;
  details.querySelector("[data-wider]")?.addEventListener("click", () => {
    svg.setAttribute("viewBox", whole);
    close = width <= CLOSE_M;
  });
  svg.addEventListener("click", (event) => {
    const matrix = svg.getScreenCTM();
    if (!matrix) {
      return;
    }
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    if (!close) {
      const tall = (CLOSE_M * height) / width;
      svg.setAttribute("viewBox", `${x - CLOSE_M / 2} ${y - tall / 2} ${CLOSE_M} ${tall}`);
      close = true;
      return;
    }
    spot.setAttribute("cx", String(x));
    spot.setAttribute("cy", String(y));
    svg.append(spot);
    setField(form, "lon", (lon[0] + lon[1] * x + lon[2] * y).toFixed(7));
    setField(form, "lat", (lat[0] + lat[1] * x + lat[2] * y).toFixed(7));
    setField(form, "picked", "map");
    if (said) {
      said.textContent = said.dataset.found ?? "";
    }
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} value
 */
function setField(form, name, value) {
  const field = /** @type {HTMLInputElement | null} */ (form.querySelector(`input[name="${name}"]`));
  if (field) {
    field.value = value;
  }
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
  offerMap(form);
  sendOnce(form);
}
const sieve = document.querySelector("details.sieve:not([data-asked])");
if (sieve && window.matchMedia("(max-width: 640px)").matches) {
  sieve.removeAttribute("open");
}
document.getElementById("error")?.scrollIntoView({ block: "center" });
