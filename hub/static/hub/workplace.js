"use strict";
// What the workplace adds to plain pages. Without this file every page still works.

document.addEventListener("DOMContentLoaded", () => {
  offerCopying(document);
  fitPlacesToShop();
  document.querySelectorAll("[data-refresh]").forEach(keepFresh);
});

document.addEventListener("htmx:afterSettle", () => offerCopying(document));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    if (link.matches("[data-instead]")) link.closest("dialog")?.close();
    openDialog(link.href);
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) copyText(copy);
});

function offerCopying(root) {
  if (!navigator.clipboard) return;
  root.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
}

async function copyText(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const icon = button.querySelector("span");
  icon.textContent = "check";
  setTimeout(() => { icon.textContent = "content_copy"; }, 1500);
}

// A verb's page as a dialog: the same form, the same answer; what does not fit a dialog is shown as the page it is.
async function openDialog(address) {
  const part = await fetchDialog(address);
  if (!part) { location.href = address; return; }
  const dialog = document.createElement("dialog");
  dialog.className = "hub-dialog";
  dialog.append(part);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) { event.preventDefault(); dialog.close(); }
  });
  dialog.addEventListener("submit", (event) => { event.preventDefault(); sendDialog(dialog, event.target, event.submitter); });
  document.body.append(dialog);
  prepare(dialog);
  dialog.showModal();
  const first = dialog.querySelector("input:checked, textarea, select, input:not([type=hidden]), button");
  if (first) first.focus();
}

async function sendDialog(dialog, form, submitter) {
  submitter.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
    const target = answer.headers.get("HX-Redirect");
    if (target) { location.href = target; return; }
    const part = readDialog(await answer.text());
    if (answer.ok && part) {
      dialog.replaceChildren(part);
      prepare(dialog);
      const wrong = dialog.querySelector(".errors input, .errors textarea, .errors select");
      if (wrong) wrong.focus();
      return;
    }
  } catch { /* no connection: the page itself will say so, and nothing typed is lost */ }
  submitter.disabled = false;
  form.submit();
}

function prepare(dialog) {
  name(dialog);
  offerCopying(dialog);
  dialog.querySelectorAll("form[data-draft]").forEach(helpTyping);
}

function name(dialog) {
  const title = dialog.querySelector("h2");
  if (title) { title.id = "dialog-title"; dialog.setAttribute("aria-labelledby", title.id); }
}

async function fetchDialog(address) {
  try {
    const answer = await fetch(address);
    return answer.ok && !answer.redirected ? readDialog(await answer.text()) : null;
  } catch { return null; }
}

function readDialog(text) {
  const part = new DOMParser().parseFromString(text, "text/html").getElementById("dialog");
  if (part) ownFiles(part);
  return part;
}

// Topics and channels are grouped by marketplace; only the groups of the chosen shop's marketplace, and the common
// one, stay on offer.
function fitPlacesToShop() {
  const shop = document.querySelector("#appeal_form select[name=shop]");
  if (!shop) return;
  const fit = () => {
    const chosen = shop.selectedOptions[0]?.parentElement;
    const marketplace = chosen instanceof HTMLOptGroupElement ? chosen.label : null;
    for (const select of document.querySelectorAll("#appeal_form select[name=topic], #appeal_form select[name=channel]")) {
      for (const group of select.querySelectorAll("optgroup")) {
        const off = marketplace !== null && group.label !== marketplace && group.label !== select.dataset.common;
        group.hidden = group.disabled = off;
        if (off && group.contains(select.selectedOptions[0])) { select.value = ""; delete select.dataset.chosen; }
      }
    }
  };
  shop.form.addEventListener("change", fit);
  fit();
  const channel = shop.form.elements.channel;
  if (channel.value) channel.dataset.chosen = channel.value;
}

// The first channel of the directory's answer is chosen until a person chooses one.
document.addEventListener("htmx:afterSwap", (event) => {
  const proposed = event.target.querySelector("[data-channel]");
  const channel = document.querySelector("#appeal_form select[name=channel]");
  if (!proposed || !channel || channel.dataset.chosen || channel.value === proposed.dataset.channel) return;
  channel.value = proposed.dataset.channel;
  channel.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: "proposed" }));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("#appeal_form select[name=channel]") && event.detail !== "proposed") {
    event.target.dataset.chosen = event.target.value;
  }
});

document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.submit(); });

// A part of the page that is asked for again and again, while somebody can see it. What had the focus gets it back,
// and nothing scrolls.
function keepFresh(part) {
  const refresh = async () => {
    if (document.visibilityState !== "visible") return;
    const fresh = await fetchPart(part.id);
    if (!fresh || fresh.innerHTML === part.innerHTML) return;
    const before = document.activeElement, links = [...part.querySelectorAll("a")];
    const nth = links.filter((link) => link.href === before.href).indexOf(before);
    part.replaceChildren(...fresh.childNodes);
    if (nth >= 0) [...part.querySelectorAll("a")].filter((link) => link.href === before.href)[nth]?.focus({ preventScroll: true });
  };
  setInterval(refresh, part.dataset.refresh * 1000);
  document.addEventListener("visibilitychange", refresh);
}

async function fetchPart(id) {
  try {
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  } catch { return null; }
}
