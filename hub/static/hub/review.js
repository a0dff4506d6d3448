"use strict";
// The text is reviewed while it is typed; a remark leads to its place. Without this file the page of the draft says the same.

const REVIEW_PAUSE = 700;
const REVIEWED = ["shop", "topic", "channel", "subject", "body", "desired_outcome", "order_numbers", "product_codes", "external_number", "previous"];

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-review]");
  if (!panel) return;
  panel.hidden = false;
  reviewWhileTyping(panel, document.getElementById("appeal_form"));
  panel.addEventListener("click", (event) => {
    const remark = event.target.closest("[data-field]");
    if (remark) showPlace(document.getElementById("appeal_form"), remark);
  });
});

function reviewWhileTyping(panel, form) {
  let timer, running, last;
  const review = async () => {
    const data = reviewed(form);
    const asked = new URLSearchParams(data).toString();
    if (asked === last || !hasText(form)) return;
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(panel.dataset.review, { method: "POST", body: data, signal: running.signal });
      if (!answer.ok || answer.redirected) return;
      last = asked;
      showFindings(panel, await answer.text());
    } catch { /* no connection, or typed on: the next pause asks again */ }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(review, REVIEW_PAUSE); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  later();
}

function reviewed(form) {
  const data = new FormData();
  for (const name of ["csrfmiddlewaretoken", ...REVIEWED]) {
    const field = form.elements[name];
    if (field) data.append(name, field.value);
  }
  data.append("attached", form.querySelector("input[type=file]")?.files.length ?? 0);
  return data;
}

function hasText(form) {
  return ["subject", "body", "desired_outcome"].some((name) => form.elements[name]?.value.trim());
}

// The list is drawn anew only when it differs: whoever stands on a remark with the keyboard is not thrown off it. Only
// the summary is read out.
function showFindings(panel, html) {
  const answer = new DOMParser().parseFromString(html, "text/html");
  const [said, list] = [panel.querySelector("[role=status]"), panel.querySelector("[data-findings]")];
  const summary = answer.querySelector(".hub-review-summary")?.textContent ?? "";
  const rows = answer.querySelector(".hub-findings");
  if (said.textContent !== summary) said.textContent = summary;
  if (!rows || list.innerHTML === rows.outerHTML) return;
  const focused = list.contains(document.activeElement) ? [...list.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  list.replaceChildren(rows);
  if (focused >= 0) list.querySelectorAll("button")[focused]?.focus();
}

function showPlace(form, remark) {
  const { field: name, start, end } = remark.dataset;
  const field = form.elements[name];
  if (!field) return;
  field.scrollIntoView({ block: "center" });
  field.focus();
  if (start !== undefined && field.setSelectionRange) {
    field.setSelectionRange(units(field.value, start), units(field.value, end));
  }
}

// The review counts characters, a field of the browser counts half of some
function units(text, characters) {
  return [...text].slice(0, Number(characters)).join("").length;
}
