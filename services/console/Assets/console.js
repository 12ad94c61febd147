// Everything works without this: it saves keystrokes and reloads.
"use strict";
(() => {
  const on = name => localStorage.getItem("localplus-" + name) !== "off";
  const pages = { o: "/console", r: "/console/runs", d: "/console/dead-letters", f: "/console/findings" };
  const rows = () => [...document.querySelectorAll("table[data-rows] tbody tr a")];
  let waitsForPage = false;

  for (const box of document.querySelectorAll("[data-setting]")) {
    box.checked = on(box.dataset.setting);
    box.addEventListener("change", () =>
      localStorage.setItem("localplus-" + box.dataset.setting, box.checked ? "on" : "off"));
  }

  document.addEventListener("keydown", event => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (!on("keys") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing) {
      if (event.key === "Escape") typing.blur();
      return;
    }
    if (waitsForPage && pages[event.key]) {
      location.href = pages[event.key];
      return;
    }
    waitsForPage = event.key === "g";
    const links = rows();
    const at = links.indexOf(document.activeElement);
    if (event.key === "j") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "k") links[Math.max(at - 1, 0)]?.focus();
    else if (event.key === "?") location.href = "/console/help";
    else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  });

  // Parts that say how it is are fetched anew while somebody looks, never while they are in a form.
  const part = document.querySelector("[data-refresh]");
  if (part) setInterval(async () => {
    if (!on("refresh") || document.hidden || document.activeElement?.closest("form, details[open]")) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const main = document.querySelector("main");
    if (fresh && fresh.innerHTML !== main.innerHTML) main.replaceChildren(...fresh.childNodes);
  }, 5000);
})();
