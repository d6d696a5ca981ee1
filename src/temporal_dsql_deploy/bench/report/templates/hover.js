"use strict";
for (const figure of document.querySelectorAll("figure.plot")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const canvas = figure.querySelector(".canvas");
  const box = canvas.querySelector("svg");
  const cursor = box.querySelector(".cursor");
  const tip = canvas.querySelector("output");
  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  let place = -1;

  const show = (next) => {
    if (!data.at.length) return;
    place = Math.min(Math.max(next, 0), data.at.length - 1);
    cursor.setAttribute("x1", `${data.at[place]}%`);
    cursor.setAttribute("x2", `${data.at[place]}%`);
    cursor.removeAttribute("hidden");
    const rows = data.lines.map(({ name, values }) => {
      const range = values[place].map((value) => number.format(value)).join(" to ");
      return `${name}: ${range ? `${range} ${data.unit}`.trim() : "none"}`;
    });
    tip.textContent = [data.names[place], ...rows].join("\n");
    tip.hidden = false;
    const area = box.getBoundingClientRect();
    const left = area.left - canvas.getBoundingClientRect().left + (area.width * data.at[place]) / 100;
    const room = canvas.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, left > canvas.clientWidth / 2 ? left - tip.offsetWidth - 10 : Math.min(left + 10, room))}px`;
  };
  const hide = () => {
    tip.hidden = true;
    cursor.setAttribute("hidden", "");
  };

  box.addEventListener("pointermove", (event) => {
    const area = box.getBoundingClientRect();
    const percent = (100 * (event.clientX - area.left)) / area.width;
    const distance = (at) => Math.abs(at - percent);
    show(data.at.reduce((best, at, index) => (distance(at) < distance(data.at[best]) ? index : best), 0));
  });
  box.addEventListener("pointerleave", hide);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "group");
  canvas.setAttribute("aria-label", "plot: the left and right arrow keys show its values");
  canvas.addEventListener("blur", hide);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    show(place + step);
  });
}
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});
