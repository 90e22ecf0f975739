// What the report page does when a script may run: zoom and inspect the timeline, follow the words, copy times.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const make = (name, text = "", className = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    element.className = className;
    return element;
  };
  const clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  // Index of the last item that begins at or before `time`, or -1.
  const lastBefore = (items, time, start) => {
    let low = 0, high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (start(items[middle]) <= time) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const during = (items, time, slack) => {
    const found = items[lastBefore(items, time, (item) => item[0])];
    return found && time < found[1] + slack ? found : null;
  };

  // Timeline

  const CLOSEST_S = 10;
  const plot = document.querySelector(".plot");
  const SVG = plot.querySelector("svg").namespaceURI;
  const cursor = plot.querySelector(".cursor");
  const readout = plot.querySelector(".readout");
  const strip = document.querySelector(".strip");
  const shown = strip ? all("li", strip) : [];
  const stretched = all(".stretch", plot), spans = all(".span", plot), badges = all(".badge", plot);
  const view = { from: 0, to: data.duration, at: null };
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
      label.setAttribute("y", 241);
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
    const across = shown[0].offsetWidth || 112;
    let free = -Infinity;
    for (const item of shown) {
      const at = Number(item.dataset.at);
      const left = Math.min((percent(at) * width) / 100, width - across);
      const fits = at >= view.from && at < view.to && left >= free;
      item.style.visibility = fits ? "visible" : "hidden";
      item.style.left = `${left}px`;
      if (fits) free = left + across + 6;
    }
  };

  const place = () => {
    const width = plot.clientWidth, zoomed = view.to - view.from < data.duration;
    for (const svg of stretched) svg.setAttribute("viewBox", `${view.from} 0 ${view.to - view.from} 100`);
    for (const rect of spans) {
      const left = percent(Number(rect.dataset.t0));
      rect.setAttribute("x", `${left}%`);
      rect.setAttribute("width", `${percent(Number(rect.dataset.t1)) - left}%`);
    }
    placeAxis(width);
    placeBadges(width);
    placeStrip(width);
    plot.classList.toggle("zoomed", zoomed);
    document.querySelector(".window").textContent = zoomed ? `${clock(view.from)} to ${clock(view.to)}` : "";
    if (view.at !== null) inspect(view.at);
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
    return {
      scored: scored ? `Score ${scored[2].toFixed(2)}` : "",
      words: sentence ? sentence[2] : quiet ? "Silence" : "",
      slide: data.slides[lastBefore(data.slides, time, (slide) => slide[0])],
    };
  };

  const inspect = (time) => {
    view.at = time;
    const width = plot.clientWidth, x = (percent(time) * width) / 100;
    const { scored, words, slide } = describe(time);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.setAttribute("visibility", "visible");
    const head = make("div", "", "line-of");
    head.append(make("b", clock(time)), make("span", scored));
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
    const above = box.top + 252 + tall > innerHeight && box.top > tall + 16;
    readout.style.top = `${above ? -tall - 8 : 252}px`;
    scrub.setAttribute("aria-valuenow", Math.round(time));
    scrub.setAttribute("aria-valuetext", [clock(time), scored, words].filter(Boolean).join(", "));
  };
  const leave = () => {
    view.at = null;
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
    if (time < view.from || time > view.to) look(time - (view.to - view.from) / 2, view.to - view.from);
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

  // Picks lead to their clip

  for (const pick of all(".pick")) {
    pick.addEventListener("click", (event) => {
      if (event.defaultPrevented) return;
      event.preventDefault();
      const card = document.querySelector(pick.getAttribute("href"));
      card.scrollIntoView({ block: "start" });
      card.focus({ preventScroll: true });
      leave();
    });
  }

  // Clips: the words follow the player, and the player follows the words

  const captionCues = (spans) => {
    const cues = [];
    for (const span of spans) {
      const time = Number(span.dataset.t), last = cues.at(-1);
      const ended = last && /[.?!…]$/.test(last.text);
      if (last && !ended && last.text.length + span.textContent.length < 72) last.text += ` ${span.textContent}`;
      else cues.push({ time, text: span.textContent });
    }
    return cues;
  };
  const addCaptions = (video, spans) => {
    if (location.protocol !== "file:" && video.dataset.vtt) {
      const track = make("track");
      const { vtt, lang } = video.dataset;
      Object.assign(track, { kind: "captions", src: vtt, srclang: lang, label: "Captions" });
      video.append(track);
      return;
    }
    // A page opened from disk may not read a caption file, so its cues are made from the words on the page.
    const cues = captionCues(spans);
    if (!cues.length) return;
    const track = video.addTextTrack("captions", "Captions", video.dataset.lang);
    track.mode = "disabled";
    video.addEventListener("loadedmetadata", () => cues.forEach((cue, index) => {
      const end = Math.min(cues[index + 1]?.time ?? video.duration, cue.time + 7);
      if (end > cue.time) track.addCue(new VTTCue(cue.time, end, cue.text));
    }), { once: true });
  };

  const follow = (card, video) => {
    const spoken = card.querySelector(".spoken"), problem = card.querySelector(".problem");
    const spans = all(".line span[data-t]", card), start = (span) => Number(span.dataset.t);
    let current = null;
    addCaptions(video, spans);
    const mark = () => {
      const span = spans[lastBefore(spans, video.currentTime + 0.02, start)] || null;
      if (span === current) return;
      const before = current?.closest(".line"), line = span?.closest(".line");
      current?.classList.remove("now");
      span?.classList.add("now");
      current = span;
      if (line === before) return;
      before?.classList.remove("on");
      line?.classList.add("on");
      if (line) spoken.scrollTop = line.offsetTop - spoken.clientHeight / 3;
    };
    const tick = () => {
      mark();
      if (!video.paused && !video.ended) requestAnimationFrame(tick);
    };
    const fail = (why) => {
      const file = decodeURIComponent(video.getAttribute("src").slice(2));
      problem.textContent = `This clip could not be played (${why}). Is ${file} still beside this page?`;
      problem.hidden = false;
    };
    video.addEventListener("play", () => {
      all("video").forEach((other) => other !== video && other.pause());
      tick();
    });
    video.addEventListener("playing", () => { problem.hidden = true; });
    video.addEventListener("seeked", mark);
    video.addEventListener("error", () => fail(video.error?.message || "no reason given"));
    spoken.addEventListener("click", (event) => {
      const target = event.target.closest("[data-t]");
      if (!target || String(getSelection())) return;
      video.currentTime = Number(target.closest("span[data-t]") ? target.dataset.t : target.closest(".line").dataset.t);
      video.play().catch((error) => error.name === "AbortError" || fail(error.message));
    });
  };
  for (const card of all(".clip")) {
    const video = card.querySelector("video");
    if (video) follow(card, video);
  }

  for (const link of all("[data-copy]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const said = link.parentElement.querySelector(".said");
      const say = (text) => {
        said.textContent = text;
        setTimeout(() => { said.textContent = ""; }, 2500);
      };
      (navigator.clipboard?.writeText(link.dataset.copy) ?? Promise.reject(new Error("no clipboard")))
        .then(() => say("Copied"), () => say("Copying is not allowed here"));
    });
  }
  addEventListener("beforeprint", () => all("details").forEach((part) => { part.open = true; }));
})();
