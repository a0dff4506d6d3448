// Opening hours explain themselves while they are typed. Without this the page explains what was saved.
document.addEventListener("DOMContentLoaded", () => {
  for (const part of document.querySelectorAll("[data-hours]")) {
    const input = part.querySelector("input");
    const preview = part.querySelector(".hub-preview");
    const of = (name) => input.form?.elements[name]?.value ?? "";
    let waiting, asked = 0;

    const explain = async () => {
      const query = new URLSearchParams({ expression: input.value, time_zone: of("time_zone"), marketplace: of("marketplace") });
      const mine = ++asked;
      const answer = await fetch(`${part.dataset.hours}?${query}`).catch(() => null);
      if (!answer?.ok || mine !== asked) return; // an older answer must not replace a newer one
      preview.innerHTML = (await answer.json()).html;
    };
    const soon = () => { clearTimeout(waiting); waiting = setTimeout(explain, 250); };

    input.addEventListener("input", soon);
    for (const name of ["time_zone", "marketplace"]) input.form?.elements[name]?.addEventListener("change", soon);
    for (const preset of part.querySelectorAll("[data-preset]")) {
      preset.hidden = false;
      preset.addEventListener("click", () => { input.value = preset.dataset.preset; explain(); });
    }
  }
});
