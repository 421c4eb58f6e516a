// @ts-check
// The hotspot filters: choosing a date means “by date”, whatever length was chosen before.

/** @type {HTMLSelectElement | null} */
const period = document.querySelector("select[name=period]");
for (const day of document.querySelectorAll(".filters input[type=date]")) {
  day.addEventListener("change", () => {
    if (period) {
      period.value = "dates";
    }
  });
}
