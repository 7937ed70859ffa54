// Search in the browser: every word must occur; names count more than texts, beginnings more than middles.
"use strict";

const LIMIT = 30;
const box = document.getElementById("search");
const list = document.getElementById("found");
const entries = (window.SEARCH_INDEX || []).map(([name, file, text]) => ({
  name, file, text, lowName: name.toLowerCase(), lowText: text.toLowerCase(),
}));
let chosen = -1;

function score(entry, words) {
  let total = 0;
  for (const word of words) {
    const at = entry.lowName.indexOf(word);
    if (at === 0 || (at > 0 && ". ".includes(entry.lowName[at - 1]))) total += 30;
    else if (at > 0) total += 20;
    else if (entry.lowText.includes(word)) total += 3;
    else return 0;
  }
  return total + 10 / entry.name.length - 4 * (entry.name.split(/[. ]/).length - 1) / 4;
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return entries.map((entry) => [score(entry, words), entry]).filter(([points]) => points > 0)
    .sort((a, b) => b[0] - a[0]).slice(0, LIMIT).map(([, entry]) => entry);
}

function show(found, hasText) {
  chosen = -1;
  list.replaceChildren(...found.map((entry) => {
    const link = document.createElement("a");
    link.href = entry.file;
    const name = document.createElement("code");
    name.textContent = entry.name;
    const text = document.createElement("span");
    text.textContent = entry.text;
    link.append(name, text);
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  if (hasText && !found.length) {
    const item = document.createElement("li");
    item.className = "none";
    item.textContent = "Nothing found.";
    list.append(item);
  }
  list.hidden = !hasText;
  box.setAttribute("aria-expanded", String(hasText));
}

function choose(step) {
  const links = list.querySelectorAll("a");
  if (!links.length) return;
  chosen = (chosen + step + links.length) % links.length;
  links[chosen].focus();
}

function close() {
  show([], false);
}

box.addEventListener("input", () => show(find(box.value), box.value.trim() !== ""));
document.addEventListener("keydown", (event) => {
  const isTyping = event.target === box;
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "Escape") {
    close();
    box.focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (isTyping || list.contains(event.target))) {
    event.preventDefault();
    choose(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && isTyping) {
    const first = list.querySelector("a");
    if (first) first.click();
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search")) close();
  else if (event.target.closest("#found a")) close();
});
