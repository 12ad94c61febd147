// Keeps the one page that the till can show without a network. Nothing of anybody's is kept.
"use strict";
const kept = "localplus-till";
const offline = "/console/till/offline";

self.addEventListener("install", event => event.waitUntil((async () => {
  const page = await fetch(offline, { cache: "reload" });
  if (!page.ok || page.redirected) throw new Error("The page to keep is not to be had.");
  const cache = await caches.open(kept);
  const files = [...(await page.clone().text()).matchAll(/"(\/console\/assets\/[^"]+)"/g)].map(found => found[1]);
  await Promise.all(files.map(async file => cache.put(file, await fetch(file))));
  await cache.put(offline, page);
  await self.skipWaiting();
})()));

self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", event => {
  const path = new URL(event.request.url).pathname;
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match(offline)));
  } else if (path.startsWith("/console/assets/")) {
    event.respondWith(caches.match(path).then(file => file ?? fetch(event.request)));
  }
});
