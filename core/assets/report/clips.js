// Picks lead to their clip

const goTo = (card) => {
  card.scrollIntoView({ block: "start" });
  card.focus({ preventScroll: true });
  leave();
};
for (const pick of all(".pick")) {
  pick.addEventListener("click", (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    goTo(document.querySelector(pick.getAttribute("href")));
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
  const mark = (time = video.currentTime) => {
    const span = spans[lastBefore(spans, time + 0.02, start)] || null;
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
    skip();
    if (!video.paused && !video.ended) requestAnimationFrame(tick);
  };
  // A preview of tightening can be heard: what would go is jumped over.
  const skips = card.querySelector(".skips input");
  const gone = all("[data-skip]", card).map((row) => row.dataset.skip.split(" ").map(Number));
  const skip = () => {
    const inside = skips?.checked && gone.find(([from, to]) => from <= video.currentTime && video.currentTime < to);
    if (inside && !video.paused && !video.seeking) [, video.currentTime] = inside;
  };
  const fail = (why) => {
    const file = decodeURIComponent(video.getAttribute("src").slice(2));
    problem.textContent = `This clip could not be played (${why}). Is ${file} still beside this page?`;
    problem.hidden = false;
  };
  const playFrom = (time) => {
    video.currentTime = time;
    video.play().catch((error) => error.name === "AbortError" || fail(error.message));
  };
  video.addEventListener("play", () => {
    all("video").forEach((other) => other !== video && other.pause());
    tick();
  });
  video.addEventListener("playing", () => { problem.hidden = true; });
  video.addEventListener("seeked", () => mark());
  video.addEventListener("error", () => fail(video.error?.message || "no reason given"));
  spoken.addEventListener("click", (event) => {
    const target = event.target.closest("[data-t]");
    if (!target || String(getSelection())) return;
    playFrom(Number(target.closest("span[data-t]") ? target.dataset.t : target.closest(".line").dataset.t));
  });
  for (const button of all("[data-jump]", card)) {
    button.addEventListener("click", () => playFrom(Number(button.dataset.jump)));
  }
  const sheet = card.querySelector(".sheet img");
  sheet?.addEventListener("error", () => { sheet.closest(".sheet").hidden = true; });
  return (time) => {
    video.currentTime = time;
    mark(time);
  };
};

// Another format is another file, shown from the same moment on.
const switchFormats = (card, video) => {
  const stage = card.querySelector(".stage");
  for (const choice of all(".formats input", card)) {
    choice.addEventListener("change", () => {
      const { src, poster, width, height } = choice.dataset;
      const at = video.currentTime, playing = !video.paused, begun = at > 0;
      video.width = Number(width);
      video.height = Number(height);
      stage.classList.toggle("tall", video.height > video.width);
      stage.classList.toggle("square", video.height === video.width);
      if (poster) video.poster = poster; else video.removeAttribute("poster");
      video.setAttribute("src", src);
      if (begun) video.currentTime = at;
      if (playing) video.play().catch(() => {});
    });
  }
};

const seekers = new Map();
for (const card of all(".clip")) {
  const video = card.querySelector("video");
  if (!video) continue;
  seekers.set(card.id, follow(card, video));
  switchFormats(card, video);
}

// A time of the recording in its clip, which has an intro before it and may lack what was removed.
const showInClip = ([rank, from, , intro, gone], time) => {
  const lost = gone.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, time) - start), 0);
  const card = document.getElementById(`clip-${rank}`);
  goTo(card);
  seekers.get(card.id)?.(Math.max(0, intro + time - from - lost));
};

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
