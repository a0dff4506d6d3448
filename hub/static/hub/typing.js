"use strict";
// Helps while typing: what was typed survives a lost session and a closed tab, numbers are recognised, screenshots are
// pasted or dropped, and the form is sent from the keyboard.

const DRAFT = "hub-draft:";
// What names the number that follows as one of something else: as the review has it, too
const OTHERS = "(?<!\\p{L})(?:отч[её]т\\p{L}*|report|акт(?:а|у|ом|е|ы|ов)?|сч[её]т(?:а|у|ом|е|ов)?(?:-фактур\\p{L}*)?|invoice"
  + "|договор\\p{L}*|упд|накладн\\p{L}*|обращени\\p{L}*|заявк\\p{L}*|претензи\\p{L}*|инн|огрн(?:ип)?|кпп|бик)"
  + "(?:(?: (?!заказ|отправлен)\\p{L}+){0,3} ?(?:№|#|номер))?:? ?";
const NUMBER = new RegExp(`(?<![\\d+-])(?<!${OTHERS})\\d{7,20}(?:-\\d{4}-\\d{1,2})?(?![\\d-])`, "giu");
// What stands behind such a word, one or several: each has a digit
const CODE = "(?=[\\p{L}._/-]*\\d)[\\p{L}\\d][\\p{L}\\d._/-]{1,38}[\\p{L}\\d]";
const CODES = new RegExp(
  `(?<![\\p{L}\\d])(?:артикул\\p{L}*|арт\\.|sku|nm ?id)(?: (?:продавца|товара|wb|ozon))?[ :№#]*(${CODE}(?:(?: ?[,;] ?| (?:и|and) )${CODE})*)`, "giu");

document.addEventListener("DOMContentLoaded", () => {
  forgetSentDraft();
  ownFiles(document);
  document.querySelectorAll("form[data-draft]").forEach(helpTyping);
});

function helpTyping(form) {
  keepDraft(form);
  takeFiles(form);
  showNumbers(form);
  sendByKeys(form);
}

// Drafts

function keepDraft(form) {
  const key = DRAFT + form.dataset.draft;
  if (!form.querySelector("[role=alert]")) restoreDraft(form, key);
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => saveDraft(form, key), 300);
  });
  form.addEventListener("submit", () => { saveDraft(form, key); sessionStorage.setItem(DRAFT, key); });
}

function typedFields(form) {
  return [...form.elements].filter((field) => field.name && !["hidden", "file", "submit", "button", "password"].includes(field.type));
}

function saveDraft(form, key) {
  const values = typedFields(form).map((field) => [field.name, field.value, field.checked ?? null]);
  const files = Boolean(form.querySelector("input[type=file]")?.files.length);
  localStorage.setItem(key, JSON.stringify({ at: Date.now(), values, files, opened: openedVersion(form) }));
}

function openedVersion(form) {
  return form.querySelector("[name=version]")?.value ?? "";
}

function restoreDraft(form, key) {
  const kept = JSON.parse(localStorage.getItem(key) ?? "null");
  if (!kept || kept.opened !== openedVersion(form) || Date.now() - kept.at > 14 * 86400e3) return;
  const differ = kept.values.filter(([name, value, checked]) => differs(form, name, value, checked));
  if (!differ.length) return;
  for (const [name, value, checked] of differ) putBack(form, name, value, checked);
  form.prepend(restoredNote(kept, () => { localStorage.removeItem(key); location.reload(); }));
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

function fieldsNamed(form, name, value) {
  return typedFields(form).filter((field) => field.name === name && (field.type !== "radio" || field.value === value));
}

function differs(form, name, value, checked) {
  return fieldsNamed(form, name, value).some((field) => (field.type === "radio" || field.type === "checkbox" ? field.checked !== checked : field.value !== value));
}

function putBack(form, name, value, checked) {
  for (const field of fieldsNamed(form, name, value)) {
    if (field.type === "radio" || field.type === "checkbox") field.checked = checked;
    else field.value = value;
    if (name === "channel" && value) field.dataset.chosen = value;
  }
}

function restoredNote({ at, files }, discard) {
  const words = hubWords();
  const note = document.createElement("p");
  note.className = "hub-note";
  note.setAttribute("role", "status");
  const moment = new Date(at).toLocaleString(document.documentElement.lang, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
  note.append(words.restored.replace("%(moment)s", moment), " ");
  if (files) note.append(words.files_again, " ");
  note.append(plainButton(words.discard, discard));
  return note;
}

function plainButton(text, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "hub-link";
  button.textContent = text;
  button.addEventListener("click", action);
  return button;
}

// A draft is forgotten only when a page of the appeal shows that it was taken.
function forgetSentDraft() {
  const key = sessionStorage.getItem(DRAFT);
  if (!key || !document.querySelector("[data-taken]")) return;
  localStorage.removeItem(key);
  sessionStorage.removeItem(DRAFT);
}

// Files by paste and drop

// The theme writes the name of a chosen file into the nearest text field, which here is some other field: it leaves
// alone what it takes for its own already.
function ownFiles(root) {
  root.querySelectorAll("input.hub-files").forEach((input) => { input.hasChangeListener = true; });
}

function takeFiles(form) {
  const input = form.querySelector("input[type=file][multiple]");
  if (!input) return;
  form.addEventListener("paste", (event) => addFiles(input, event.clipboardData.files, event));
  form.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
  form.addEventListener("drop", (event) => addFiles(input, event.dataTransfer.files, event));
  input.addEventListener("change", () => listFiles(input));
}

function addFiles(input, files, event) {
  if (!files.length) return;
  event.preventDefault();
  const all = new DataTransfer();
  for (const file of [...input.files, ...files]) all.items.add(file);
  input.files = all.files;
  listFiles(input);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function listFiles(input) {
  const names = [...input.files].map((file) => file.name).join(", ");
  lineUnder(input, "hub-files-list").textContent = names && hubWords().attached.replace("%(names)s", names);
}

function lineUnder(field, name) {
  const parent = field.closest(".hub-field");
  let line = parent.querySelector(`.${name}`);
  if (!line) {
    line = document.createElement("p");
    line.className = `hub-quiet ${name}`;
    line.setAttribute("role", "status");
    parent.append(line);
  }
  return line;
}

// Numbers

function showNumbers(form) {
  const orders = form.querySelector("[name=order_numbers]"), codes = form.querySelector("[name=product_codes]");
  const body = form.querySelector("[name=body]");
  if (!orders || !codes || !body) return;
  const update = () => {
    const text = `${form.elements.subject?.value ?? ""}\n${withoutQuote(form, body.value)}`;
    const named = codesIn(text);
    offerFound(codes, named);
    offerFound(orders, (text.match(NUMBER) ?? []).filter((number) => !named.includes(number)));
    sayRecognised(orders);
    sayRecognised(codes);
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  update();
}

function codesIn(text) {
  return [...text.matchAll(CODES)].flatMap(([, codes]) => codes.split(/ ?[,;] ?| (?:и|and) /i));
}

// An appeal that is written again opens with the number of the first one, which is no order.
function withoutQuote(form, text) {
  const [opening, ...rest] = text.split("\n");
  return form.elements.previous?.value ? [opening.replace(/№\s*\S+/, ""), ...rest].join("\n") : text;
}

// A product code may have spaces in it.
function listed(field) {
  const between = field.name === "product_codes" ? /[,;\n\t\r]+/ : /[,;\s]+/;
  return [...new Set(field.value.split(between).map((number) => number.trim()).filter(Boolean))];
}

function sayRecognised(field) {
  const count = listed(field).length;
  lineUnder(field, "hub-recognised").textContent = count > 1 ? hubWords().recognised.replace("%(count)s", count) : "";
}

function offerFound(field, numbers) {
  const line = lineUnder(field, "hub-found");
  const found = [...new Set(numbers)].filter((number) => !listed(field).includes(number)).slice(0, 50);
  if (line.dataset.found === found.join()) return; // a button that is replaced under the finger is never pressed
  line.dataset.found = found.join();
  line.replaceChildren();
  if (!found.length) return;
  const words = hubWords();
  line.append(`${field.name === "product_codes" ? words.found_codes : words.found} ${found.join(", ")} `, plainButton(words.add, () => {
    field.value = [...listed(field), ...found].join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }));
}

// Keys by their place, so that they are the same on a Russian keyboard: Ctrl+Enter sends, Ctrl+S keeps

function sendByKeys(form) {
  form.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const wanted = { Enter: "[type=submit].hub-primary", KeyS: "[name=_draft], [name=_save]" }[event.code];
    const button = wanted && form.querySelector(wanted);
    if (button) { event.preventDefault(); button.click(); }
  });
}
