"use strict";
// What the theme makes clickable is made operable by keyboard, and named for those who cannot see it.

document.addEventListener("DOMContentLoaded", () => {
  focusFirst();
  nameLandmarks();
  makeOperable(document);
  nameWhatScriptsMake();
  new MutationObserver(nameWhatScriptsMake).observe(document.body, { childList: true, subtree: true });
});

// The browser passes over a field that has to get the focus when it paints before the field can be focused.
function focusFirst() {
  const field = document.querySelector("[autofocus]");
  if (document.activeElement === document.body) field?.focus();
  if (field?.getAttribute("aria-invalid") === "true") keepInSight(field);
}

// What is loaded above a field that is wrong pushes it down: it stays in sight until the person does something.
function keepInSight(field) {
  const watcher = new ResizeObserver(() => field.scrollIntoView({ block: "center" }));
  watcher.observe(document.body);
  for (const act of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(act, () => watcher.disconnect(), { once: true });
}

function nameLandmarks() {
  document.getElementById("main")?.setAttribute("role", "main");
  const words = hubWords();
  document.getElementById("nav-sidebar-inner")?.setAttribute("aria-label", words.parts);
  document.querySelector("nav[x-show=openUserLinks]")?.setAttribute("aria-label", words.account);
}

function makeOperable(root) {
  const words = hubWords();
  const names = { dock_to_right: words.menu, close: words.close, more_vert: words.related };
  for (const element of root.querySelectorAll("[x-on\\:click]")) {
    if (element.matches("a[href], button, input, select, textarea, #changelist-filter-close")) continue;
    const name = names[element.textContent.trim()];
    if (name) element.setAttribute("aria-label", name);
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("keydown", pressByKey);
    tellState(element);
  }
}

const OVER_THE_PAGE = ["openUserLinks", "sidebarMobileOpen", "openRelatedWidgetWrapper", "actionDropdownOpen"];

// A button that opens something says whether it is open, and Escape closes what lies over the page.
function tellState(button) {
  const name = /^(\w+) = !\1\b/.exec(button.getAttribute("x-on:click"))?.[1];
  if (!name || !window.Alpine) return;
  const state = Alpine.$data(button);
  Alpine.effect(() => button.setAttribute("aria-expanded", String(Boolean(state[name]))));
  if (!OVER_THE_PAGE.includes(name) || button.textContent.trim() === "close") return;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state[name]) return;
    state[name] = false;
    button.focus();
  });
}

// Alt and the letter that an element names in data-key, by the place of the key: the same on a Russian keyboard.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.code)}"]`);
  if (wanted) { event.preventDefault(); wanted.click(); }
});

function pressByKey(event) {
  if (event.target !== event.currentTarget || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.currentTarget.click();
  enterMenu(event.currentTarget);
}

// The menu of the person stands before its button, out of the way of the next Tab.
function enterMenu(button) {
  const menu = button.previousElementSibling;
  if (!menu?.matches("nav")) return;
  setTimeout(() => menu.querySelector("[tabindex], a[href]")?.focus(), 50);
}

// An icon is a word of its font: it is not read out beside the words that it goes with.
function hideIcons() {
  for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden], [tabindex])")) {
    const host = icon.closest("a, button, summary, [role=button]");
    if (host && (host.title || host.ariaLabel || host.textContent.trim() !== icon.textContent.trim())) icon.ariaHidden = "true";
  }
}

function nameWhatScriptsMake() {
  hideIcons();
  nameAutocompletes();
  translate(".simplebar-content-wrapper", "aria-label", "scrollable content", "scrolls");
  translate(".select2-selection__clear", "title", "Remove all items", "clear");
}

// What the scripts of the theme say in English, whatever the language of the page.
function translate(parts, attribute, english, word) {
  for (const part of document.querySelectorAll(`${parts}[${attribute}="${english}"]`)) part.setAttribute(attribute, hubWords()[word] ?? english);
}

// Select2 builds its own boxes and forgets the label of the field.
function nameAutocompletes() {
  for (const box of document.querySelectorAll(".select2-container")) {
    const select = box.previousElementSibling;
    const label = select?.id && document.querySelector(`label[for="${select.id}"]`)?.textContent.trim();
    if (!label) continue;
    for (const part of box.querySelectorAll(".select2-selection, .select2-selection__rendered[role=textbox], .select2-search__field")) {
      if (part.getAttribute("aria-label") !== label) { part.removeAttribute("aria-labelledby"); part.setAttribute("aria-label", label); }
    }
  }
}

function hubWords() {
  const holder = document.getElementById("hub-words");
  return holder ? JSON.parse(holder.textContent) : {};
}
