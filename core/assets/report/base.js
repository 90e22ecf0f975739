// What the parts of the page's script share. They are joined into one, in the order that core/report.py names.

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
