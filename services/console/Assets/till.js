// The till's camera, and its queue while there is no network. Everything else on its page works without this.
"use strict";
(() => {
  const form = document.getElementById("take");
  const said = document.querySelector("[data-allowance]");
  const list = document.querySelector("[data-queue]");
  const day = text => new Date(text).toLocaleString(document.documentElement.lang);
  const utf8 = text => new TextEncoder().encode(text);
  const hex = bytes => [...new Uint8Array(bytes)].map(b => b.toString(16).padStart(2, "0")).join("");
  const sha256 = async text => hex(await crypto.subtle.digest("SHA-256", utf8(text)));

  // One state in one store: the allowance, the key that hides codes, what waits, and what became of the last ones.
  const open = () => new Promise((done, failed) => {
    const asked = indexedDB.open("localplus-till", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("state");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const act = async (mode, what) => {
    const db = await open();
    return new Promise((done, failed) => {
      const transaction = db.transaction("state", mode, { durability: "strict" });
      const asked = what(transaction.objectStore("state"));
      transaction.oncomplete = () => { db.close(); done(asked.result); };
      transaction.onabort = transaction.onerror = () => { db.close(); failed(transaction.error); };
    });
  };
  const read = async () => (await act("readonly", store => store.get("till"))) ?? { allowances: [], results: [] };
  const write = state => act("readwrite", store => store.put(state, "till"));
  // Two pages of one till take turns.
  const alone = what => navigator.locks.request("localplus-till", what);

  const normal = code => code.normalize("NFKC").replace(/[\s_\p{Pd}\p{Cf}\p{Mn}\u2212]/gu, "").toUpperCase()
    .replaceAll("O", "0").replace(/[IL]/g, "1");
  const decimals = currency => new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions()
    .maximumFractionDigits;
  const minor = (typed, currency) => {
    const places = decimals(currency);
    const found = /^(\d{1,12})(?:[.,](\d+))?$/.exec(typed.trim());
    if (!found || (found[2] ?? "").length > places) return 0;
    return Number(found[1] + (found[2] ?? "").padEnd(places, "0"));
  };
  const money = (amount, currency) => `${(amount / 10 ** decimals(currency)).toFixed(decimals(currency))} ${currency}`;

  const hide = async (key, code) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, text: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, utf8(code)) };
  };
  const show = async (key, { iv, text }) =>
    new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, text));

  const current = state => {
    const last = state.allowances.at(-1);
    return last && new Date(last.expires_at) > new Date() ? last : null;
  };

  const paint = async () => {
    const state = await read();
    const has = current(state);
    if (said && has) {
      const left = has.total_cap.amount - has.spent;
      said.textContent = `${money(left, has.total_cap.currency)} ${said.dataset.left ?? "·"} ${day(has.expires_at)}`;
    } else if (said) said.textContent = said.dataset.none ?? "";
    if (!list) return;
    const waiting = state.allowances.flatMap(allowance => allowance.items);
    const lines = [
      ...waiting.map(item => `… ${money(item.amount.amount, item.amount.currency)} ${day(item.occurred_at)}`),
      ...state.results.map(({ state: became, captured, shortfall }) =>
        `${became === "completed" ? "✓" : "!"} ${money(captured.amount, captured.currency)}`
        + (shortfall.amount > 0 ? ` ${list.dataset.short} ${money(shortfall.amount, shortfall.currency)}` : "")),
    ];
    list.replaceChildren(...(lines.length ? lines : [list.dataset.nothing]).map(line => {
      const entry = document.createElement("li");
      entry.textContent = line;
      return entry;
    }));
  };

  // A payment that is taken now and settled later; the till may only when its allowance covers it.
  const take = fields => alone(async () => {
    const state = await read();
    const has = current(state);
    if (!has) return "none";
    const code = normal(fields.get("code"));
    const currency = has.total_cap.currency;
    const amount = minor(fields.get("amount"), currency);
    if (!/^[0-9A-Z]{8,40}$/.test(code) || !(amount > 0)) return "wrong";
    const card = await sha256(code);
    const ofCard = has.cards[card] ?? 0;
    if (ofCard + amount > has.card_cap.amount || has.spent + amount > has.total_cap.amount) return "over";
    const counter = has.counter + 1;
    const occurred_at = new Date().toISOString();
    const reference = fields.get("reference").trim();
    const hash = await sha256([has.last, counter, code, amount, currency, occurred_at, reference].join("\n"));
    has.items.push({
      counter, occurred_at, hash, amount: { amount, currency }, code: await hide(state.key, code),
      ...(reference ? { reference } : {}),
    });
    Object.assign(has, { counter, last: hash, spent: has.spent + amount });
    has.cards[card] = ofCard + amount;
    await write(state);
    return "taken";
  });

  const post = (path, init) => fetch(path, { method: "POST", redirect: "error", ...init });

  // What waits goes to the platform in its order; what came back with an answer waits no more.
  const send = () => alone(async () => {
    const state = await read();
    for (const allowance of state.allowances.filter(a => a.items.length > 0)) {
      const page = await fetch("/console/till", { redirect: "error" });
      const token = new DOMParser().parseFromString(await page.text(), "text/html")
        .querySelector("[name=__RequestVerificationToken]")?.value;
      if (!token) return;
      const batch = allowance.items.slice(0, 100);
      const items = await Promise.all(batch.map(async ({ code, ...item }) =>
        ({ ...item, gift_card: { code: await show(state.key, code) } })));
      const answer = await post("/console/till/upload", {
        headers: { "Content-Type": "application/json", RequestVerificationToken: token },
        body: JSON.stringify({ terminal_id: allowance.terminal_id, allowance: allowance.token, items }),
      });
      if (!answer.ok) return;
      const results = (await answer.json()).items;
      const over = new Set(results.filter(item => item.state !== "pending").map(item => item.counter));
      allowance.items = allowance.items.filter(item => !over.has(item.counter));
      state.results = [...results.filter(item => over.has(item.counter)), ...state.results].slice(0, 20);
      await write(state);
    }
    state.allowances = state.allowances.filter((a, at, all) => a.items.length > 0 || at === all.length - 1);
    await write(state);
  });

  const sync = async () => {
    if (navigator.onLine) await send().catch(() => {});
    await paint();
  };

  document.getElementById("allowance")?.addEventListener("submit", async event => {
    event.preventDefault();
    const answer = await post("/console/till/allowance", { body: new URLSearchParams(new FormData(event.target)) });
    if (!answer.ok) {
      said.textContent = new DOMParser().parseFromString(await answer.text(), "text/html")
        .querySelector("[role=alert]")?.textContent ?? `${answer.status}`;
      return;
    }
    const allowance = await answer.json();
    await alone(async () => {
      const state = await read();
      state.key ??= await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      state.allowances.push({ ...allowance, counter: 0, last: allowance.first_link, spent: 0, cards: {}, items: [] });
      await write(state);
    });
    await paint();
  });

  form?.addEventListener("submit", async event => {
    const isHere = form.method === "get";
    if (navigator.onLine && !isHere) return;
    event.preventDefault();
    const outcome = await take(new FormData(form));
    if (outcome === "taken") form.reset();
    await paint();
    if (said?.dataset[outcome]) said.textContent = said.dataset[outcome];
  });

  const scan = document.querySelector("[data-scan]");
  const camera = document.querySelector("[data-camera]");
  if (scan && "BarcodeDetector" in window) {
    scan.hidden = false;
    scan.addEventListener("click", async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      camera.srcObject = stream;
      camera.hidden = false;
      await camera.play();
      const detector = new BarcodeDetector({ formats: ["qr_code", "code_128"] });
      let found = [];
      while (found.length === 0 && stream.active && !camera.hidden) {
        found = await detector.detect(camera);
        await new Promise(requestAnimationFrame);
      }
      stream.getTracks().forEach(track => track.stop());
      camera.hidden = true;
      if (found.length > 0) form.elements.code.value = found[0].rawValue;
      form.elements.amount.focus();
    });
  }

  if ("serviceWorker" in navigator && window.isSecureContext) {
    for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;
    navigator.serviceWorker.register("/console/till/worker.js", { scope: "/console/till" });
    addEventListener("online", sync);
    sync();
  }
})();
