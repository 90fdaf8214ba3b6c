// What pages need beside htmx: copying commands, menus that close, values kept in sight, and streams of events.
"use strict";

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) copyText(copy);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

async function copyText(button) {
  const text = button.parentElement.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
}

// An element with data-stream="/path" shows what the server sends there (event "show"), until it says "end".
function follow(element) {
  const source = new EventSource(element.dataset.stream);
  source.addEventListener("show", (event) => {
    if (!element.isConnected) return source.close();
    element.innerHTML = JSON.parse(event.data);
    if (window.htmx) window.htmx.process(element);
  });
  source.addEventListener("end", () => {
    source.close();
    element.removeAttribute("aria-busy");
  });
}

// What changes a form's cost or its command is shown at once; ranges show their number.
document.addEventListener("input", (event) => {
  const shown = event.target.dataset && event.target.dataset.shows;
  if (shown) document.getElementById(shown).textContent = event.target.value;
});

for (const element of document.querySelectorAll("[data-stream]")) follow(element);
for (const element of document.querySelectorAll("[data-focus]")) element.focus();

// The tab that is open is in sight, also where not all have room.
addEventListener("load", () => {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) tab.scrollIntoView({ block: "nearest", inline: "center" });
});

// What the server says of a form is shown at its fields.
document.addEventListener("htmx:afterSettle", () => {
  const form = document.querySelector("[data-judged]");
  if (!form) return;
  const wrong = new Map([...form.querySelectorAll("[data-wrong]")].map((one) => [one.dataset.wrong, one.textContent]));
  for (const place of form.querySelectorAll(".wrong")) {
    const id = place.id.slice("wrong-".length);
    const field = document.getElementById(id);
    const text = wrong.get(id) || "";
    if (place.textContent !== text) place.textContent = text;
    if (field) text ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
    if (text && place.closest("details:not([open])") && form.dataset.judged === "sent") place.closest("details").open = true;
  }
});

// Another version of a chart has other fields.
document.addEventListener("change", (event) => {
  const path = event.target.dataset && event.target.dataset.goes;
  if (path) location.assign(`${path}?version=${encodeURIComponent(event.target.value)}`);
});
