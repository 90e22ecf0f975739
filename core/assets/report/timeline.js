// Timeline

const CLOSEST_S = 10;
const plot = document.querySelector(".plot");
const SVG = plot.querySelector("svg").namespaceURI;
const BELOW = plot.querySelector("svg").height.baseVal.value + 4;
const cursor = plot.querySelector(".cursor");
const readout = plot.querySelector(".readout");
const strip = document.querySelector(".strip");
const shown = strip ? all("li", strip) : [];
const stretched = all(".stretch", plot), spans = all(".span", plot), badges = all(".badge", plot);
const view = { from: 0, to: data.duration, at: null, pointed: null };
const percent = (time) => (100 * (time - view.from)) / (view.to - view.from);
const timeAt = (clientX) => {
  const box = plot.getBoundingClientRect();
  return clamp(view.from + ((clientX - box.left) / box.width) * (view.to - view.from), 0, data.duration);
};

const placeAxis = (width) => {
  const most = Math.max(2, Math.floor(width / 92));
  const step = data.steps.find((one) => (view.to - view.from) / one <= most) || data.steps.at(-1);
  const labels = [], lines = [];
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
    const x = (percent(time) * width) / 100;
    const line = document.createElementNS(SVG, "line");
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: 8, y2: 224 })) line.setAttribute(name, value);
    lines.push(line);
    if (x > width - 24 || (x > 0 && x < 24)) continue;
    const label = document.createElementNS(SVG, "text");
    label.setAttribute("x", x);
    label.setAttribute("y", BELOW - 11);
    label.setAttribute("text-anchor", x < 24 ? "start" : "middle");
    label.textContent = clock(time);
    labels.push(label);
  }
  plot.querySelector(".axis").replaceChildren(...labels);
  plot.querySelector(".grid").replaceChildren(...lines);
};

// A number stands in the middle of what is seen of its clip. Those that would touch go one row down; where no row
// is left, a dot stays.
const placeBadges = (width) => {
  const rowsEnd = [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity];
  for (const badge of badges) {
    const { t0, t1 } = badge.previousElementSibling.dataset;
    const from = Math.max(Number(t0), view.from), to = Math.min(Number(t1), view.to);
    badge.setAttribute("visibility", from < to ? "visible" : "hidden");
    if (from >= to) continue;
    const half = badge.querySelector("text").textContent.length > 2 ? 14 : 11.5;
    const centre = clamp((percent((from + to) / 2) * width) / 100, half, width - half);
    const row = rowsEnd.findIndex((end) => centre - half >= end);
    badge.classList.toggle("dot", row < 0);
    badge.querySelector("circle").setAttribute("r", row < 0 ? 3 : half - 1);
    if (row >= 0) rowsEnd[row] = centre + half;
    badge.setAttribute("x", centre);
    badge.setAttribute("y", row < 0 ? 142 : 24 + 24 * row);
  }
};

const placeStrip = (width) => {
  if (!strip) return;
  strip.classList.add("laid");
  const across = (shown[0].offsetWidth || 112) + 6, taken = [];
  // Where not all have room, a slide goes before what was only added to one.
  const inTurn = [...shown].sort((a, b) => a.classList.contains("build") - b.classList.contains("build"));
  for (const item of inTurn) {
    const at = Number(item.dataset.at);
    const left = Math.min((percent(at) * width) / 100, width - across + 6);
    const fits = at >= view.from && at < view.to && taken.every((other) => Math.abs(left - other) >= across);
    item.style.visibility = fits ? "visible" : "hidden";
    item.style.left = `${left}px`;
    if (fits) taken.push(left);
  }
  strip.style.height = `${Math.max(...shown.map((item) => item.offsetHeight))}px`;
};

// Where the search found something, small wedges stand on the axis of the score.
let found = [];
const placeHits = (width) => {
  const wedges = [...new Set(found.map((time) => Math.round((percent(time) * width) / 100)))];
  plot.querySelector(".hits").replaceChildren(...wedges.filter((x) => x >= 0 && x <= width).map((x) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M${x - 5} 166h10l-5 -9Z`);
    return path;
  }));
};
const markFound = (times) => {
  found = times;
  placeHits(plot.clientWidth);
};

const place = () => {
  const width = plot.clientWidth, zoomed = view.to - view.from < data.duration;
  for (const svg of stretched) svg.setAttribute("viewBox", `${view.from} 0 ${view.to - view.from} 100`);
  for (const rect of spans) {
    const left = percent(Number(rect.dataset.t0));
    rect.setAttribute("x", `${left}%`);
    const across = percent(Number(rect.dataset.t1)) - left;
    rect.setAttribute("width", `${across}%`);
    const label = rect.querySelector("text");
    if (label) rect.classList.toggle("narrow", (across * width) / 100 < 6.2 * label.textContent.length + 10);
  }
  placeAxis(width);
  placeBadges(width);
  placeStrip(width);
  placeHits(width);
  plot.classList.toggle("zoomed", zoomed);
  document.querySelector(".window").textContent = zoomed ? `${clock(view.from)} to ${clock(view.to)}` : "";
  if (view.at !== null) inspect(view.at);
  else if (view.pointed !== null) putCursor(view.pointed);
};

const look = (from, length) => {
  const kept = clamp(length, Math.min(CLOSEST_S, data.duration), data.duration);
  view.from = clamp(from, 0, data.duration - kept);
  view.to = view.from + kept;
  place();
};
const zoom = (factor, around) => {
  const length = (view.to - view.from) / factor;
  look(around - ((around - view.from) / (view.to - view.from)) * length, length);
};

const describe = (time) => {
  // A pause of a pixel or two is no place to find nothing.
  const slack = (3 * (view.to - view.from)) / plot.clientWidth;
  const scored = during(data.curve, time, slack), sentence = during(data.sentences, time, slack);
  const quiet = data.silences.some(([from, to]) => from <= time && time < to);
  const layout = during(data.layouts.spans, time, 0);
  return {
    layout: layout ? data.layouts.names[layout[2]] : "",
    scored: scored ? `Score ${scored[2].toFixed(2)}` : "",
    words: sentence ? sentence[2] : quiet ? "Silence" : "",
    slide: data.slides[lastBefore(data.slides, time, (slide) => slide[0])],
  };
};

const putCursor = (time) => {
  for (const end of ["x1", "x2"]) cursor.setAttribute(end, (percent(time) * plot.clientWidth) / 100);
  cursor.setAttribute("visibility", "visible");
};
const inspect = (time) => {
  view.at = time;
  const width = plot.clientWidth, x = (percent(time) * width) / 100;
  const { scored, words, slide, layout } = describe(time);
  putCursor(time);
  const head = make("div", "", "line-of");
  head.append(make("b", clock(time)), make("span", [layout, scored].filter(Boolean).join(", ")));
  const parts = [head];
  if (words) parts.push(make("div", words, "words"));
  if (words) parts[1].dir = "auto";
  if (slide && slide[3] >= 0) {
    const image = make("img");
    image.src = shown[slide[3]].querySelector("img").src;
    image.alt = "";
    parts.push(image);
  }
  if (slide && slide[2]) parts.push(make("div", slide[2], "line-of"));
  readout.replaceChildren(...parts);
  readout.hidden = false;
  readout.style.left = `${clamp(x - readout.offsetWidth / 2, 0, Math.max(0, width - readout.offsetWidth))}px`;
  const box = plot.getBoundingClientRect(), tall = readout.offsetHeight;
  const above = box.top + BELOW + tall > innerHeight && box.top > tall + 16;
  readout.style.top = `${above ? -tall - 8 : BELOW}px`;
  scrub.setAttribute("aria-valuenow", Math.round(time));
  scrub.setAttribute("aria-valuetext", [clock(time), scored, layout, words].filter(Boolean).join(", "));
};
const bringIn = (time) => {
  if (time < view.from || time > view.to) look(time - (view.to - view.from) / 2, view.to - view.from);
};
// The cursor alone, for those who have the words before them already.
const point = (time) => {
  leave();
  bringIn(time);
  view.pointed = time;
  putCursor(time);
};
const leave = () => {
  view.at = view.pointed = null;
  readout.hidden = true;
  cursor.setAttribute("visibility", "hidden");
};

// The axis is a slider, so that the keyboard can read the recording sentence by sentence.
const scrub = make("div", "", "scrub");
for (const [name, value] of Object.entries({
  role: "slider", tabindex: 0, "aria-label": "Read along the timeline, a sentence at a time",
  "aria-valuemin": 0, "aria-valuemax": Math.round(data.duration), "aria-valuenow": 0,
})) scrub.setAttribute(name, value);
plot.append(scrub);
scrub.addEventListener("keydown", (event) => {
  const stops = data.sentences.length ? data.sentences : data.curve;
  const here = lastBefore(stops, view.at ?? -1, (stop) => stop[0]);
  const next = { ArrowRight: here + 1, ArrowUp: here + 1, ArrowLeft: here - 1, ArrowDown: here - 1,
    PageDown: here + 20, PageUp: here - 20, Home: 0, End: stops.length - 1 }[event.key];
  if (event.key === "Escape") leave();
  if (next === undefined || !stops.length) return;
  event.preventDefault();
  const time = stops[clamp(next, 0, stops.length - 1)][0];
  bringIn(time);
  inspect(time);
});
scrub.addEventListener("focus", () => scrub.matches(":focus-visible") && inspect(view.at ?? view.from));
scrub.addEventListener("blur", leave);

let drag = null;
plot.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX, from: view.from, moved: false };
  if (event.pointerType !== "mouse") inspect(timeAt(event.clientX));
});
plot.addEventListener("pointermove", (event) => {
  const zoomed = view.to - view.from < data.duration;
  if (drag && event.buttons && zoomed) {
    drag.moved ||= Math.abs(event.clientX - drag.x) > 4;
    plot.classList.toggle("dragging", drag.moved);
    const seconds = view.to - view.from;
    if (drag.moved) look(drag.from - ((event.clientX - drag.x) / plot.clientWidth) * seconds, seconds);
  }
  inspect(timeAt(event.clientX));
});
addEventListener("pointerup", () => plot.classList.remove("dragging"));
plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && leave());
// The click that ends a drag opens nothing; it is caught before the picks hear of it. A key's click has no detail.
plot.addEventListener("click", (event) => {
  if (drag?.moved && event.detail) event.preventDefault();
}, true);
plot.addEventListener("dragstart", (event) => event.preventDefault());
plot.addEventListener("wheel", (event) => {
  const sideways = event.shiftKey ? event.deltaY : event.deltaX;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 200), timeAt(event.clientX));
  } else if (view.to - view.from < data.duration && Math.abs(sideways) > 0) {
    event.preventDefault();
    look(view.from + (sideways / plot.clientWidth) * (view.to - view.from), view.to - view.from);
  }
}, { passive: false });
for (const button of all("[data-zoom]")) {
  button.addEventListener("click", () => {
    const factor = Number(button.dataset.zoom);
    if (factor) zoom(factor, (view.from + view.to) / 2); else look(0, data.duration);
  });
}
for (const item of shown) {
  item.addEventListener("pointerenter", () => inspect(Number(item.dataset.at)));
  item.addEventListener("pointerleave", leave);
}
new ResizeObserver(place).observe(plot);
place();
