// Search: all words that are typed must stand in a sentence, or on a slide, in any order.

const MOST_HITS = 60;
const searching = document.querySelector(".find"), field = searching.querySelector("input");
const listed = document.getElementById("hits"), told = document.getElementById("found");

// Text without case and accents, and for each of its characters the place in the text it comes from.
const folded = (text) => {
  const places = [];
  let plain = "";
  for (let index = 0; index < text.length; index += 1) {
    const part = text[index].normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    for (let count = 0; count < part.length; count += 1) places.push(index);
    plain += part;
  }
  return { plain, places };
};

const marked = (text, terms) => {
  const { plain, places } = folded(text);
  const on = new Set();
  for (const term of terms) {
    for (let at = plain.indexOf(term); at >= 0; at = plain.indexOf(term, at + term.length)) {
      for (let index = at; index < at + term.length; index += 1) on.add(places[index]);
    }
  }
  const parts = [];
  for (let index = 0, from = 0; index < text.length; index = from) {
    while (from < text.length && on.has(from) === on.has(index)) from += 1;
    parts.push(make(on.has(index) ? "mark" : "span", text.slice(index, from)));
  }
  return parts;
};

// What can be found, made when somebody first looks: its time, the text without case, and the lines of a slide.
let everything = null;
const collect = () => [
  ...data.sentences.map(([time, end, text]) => ({ time, end, plain: folded(text).plain, text, slide: null })),
  ...data.slides.map(([time, , title, , text], index) => {
    const lines = text.split("\n").filter((line) => line && line !== title);
    return { time, end: data.slides[index + 1]?.[0] ?? data.duration, plain: folded([title || "", ...lines].join("\n")).plain, text: title || "", slide: lines };
  }),
].sort((a, b) => a.time - b.time);

// The clip that holds most of it.
const clipOf = (hit) => {
  const within = ([, from, to]) => Math.min(hit.end, to) - Math.max(hit.time, from);
  const most = data.clips.reduce((best, clip) => (best && within(best) >= within(clip) ? best : clip), null);
  return most && within(most) > 0 ? most : null;
};

const hitRow = (hit, terms) => {
  const { time, text, slide } = hit;
  const row = make("li"), button = make("button", "", "hit-at"), said = make("span");
  button.type = "button";
  said.dir = "auto";
  if (slide) {
    const shows = [text];
    for (const term of terms) {
      const holds = (one) => folded(one).plain.includes(term);
      if (!shows.some(holds)) shows.push(slide.find(holds) ?? "");
    }
    said.append(make("span", "Slide", "kind"), ...marked(shows.filter(Boolean).join(" · "), terms));
  } else said.append(...marked(text, terms));
  button.append(make("time", clock(time)), said);
  button.addEventListener("click", () => {
    listed.querySelector("[aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    plot.scrollIntoView({ block: "nearest" });
    point(time);
  });
  row.append(button);
  const clip = clipOf(hit);
  if (clip) {
    const link = make("button", `Clip ${clip[0]}`, "to-clip");
    link.type = "button";
    link.setAttribute("aria-label", `Show it in clip ${clip[0]}`);
    link.addEventListener("click", () => showInClip(clip, Math.max(time, clip[1])));
    row.append(link);
  }
  return row;
};

const search = () => {
  const terms = folded(field.value).plain.split(/\s+/).filter(Boolean);
  everything ??= collect();
  const hits = terms.length ? everything.filter(({ plain }) => terms.every((term) => plain.includes(term))) : [];
  listed.replaceChildren(...hits.slice(0, MOST_HITS).map((hit) => hitRow(hit, terms)));
  listed.scrollTop = 0;
  markFound(hits.map((hit) => hit.time));
  if (!terms.length) told.textContent = "";
  else if (!hits.length) told.textContent = "Nobody says this, and no slide shows it.";
  else {
    const count = hits.length === 1 ? "Found once" : `Found ${hits.length} times`;
    told.textContent = hits.length > MOST_HITS ? `${count}; the first ${MOST_HITS} are listed` : count;
  }
};
field.addEventListener("input", search);
field.addEventListener("blur", (event) => listed.contains(event.relatedTarget) || leave());
searching.addEventListener("keydown", (event) => {
  const stops = [field, ...all(".hit-at", listed)];
  const here = stops.indexOf(document.activeElement.closest("li")?.querySelector(".hit-at") ?? field);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1 }[event.key];
  if (event.key === "Escape") {
    field.value = "";
    field.focus();
    search();
    leave();
  } else if (event.key === "Enter" && event.target === field) stops[1]?.click();
  else if (stops[next]) {
    event.preventDefault();
    stops[next].focus();
  }
});
if (!data.sentences.length && !data.slides.some((slide) => slide[2] || slide[4])) searching.hidden = true;
