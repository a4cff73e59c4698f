// A slider beside each threshold of the lab. Without scripts the numbers alone do, with a button.
const READY = "slider";

function addSlider(number) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = number.dataset.from;
  slider.max = number.dataset.to;
  slider.step = 1;
  slider.value = number.value;
  slider.setAttribute("aria-label", `${number.labels[0]?.textContent.trim() ?? ""}, slider`);
  slider.addEventListener("input", () => { number.value = slider.value; });
  number.addEventListener("input", () => { slider.value = number.value; });
  number.dataset[READY] = "on";
  number.before(slider);
}

function addSliders() {
  document.querySelectorAll("input[data-slider]").forEach((number) => {
    if (number.dataset[READY] !== "on") addSlider(number);
  });
}

export function startLab() {
  addSliders();
  document.addEventListener("htmx:afterSettle", addSliders);
}
