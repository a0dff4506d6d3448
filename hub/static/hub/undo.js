"use strict";
// Counts down the minutes in which something can be undone, and takes the button away when they are over.

document.addEventListener("DOMContentLoaded", () => {
  countDown();
  if (document.querySelector("[data-undo-until]")) setInterval(countDown, 5000);
});

function countDown() {
  for (const offer of document.querySelectorAll("[data-undo-until]")) {
    const minutes = Math.ceil((new Date(offer.dataset.undoUntil) - Date.now()) / 60000);
    if (minutes <= 0) { offer.remove(); continue; }
    const text = hubWords().left.replace("%(minutes)s", minutes);
    const left = offer.querySelector("[data-undo-left]");
    if (left.textContent !== text) left.textContent = text;
  }
}
