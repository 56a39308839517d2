// The service worker: shows a push as a notification, and opens its link when it is tapped. It caches nothing.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json(); } catch { told = { title: "Watchbill", body: event.data ? event.data.text() : "" }; }
  const important = told.urgency === "important";
  event.waitUntil(self.registration.showNotification(told.title || "Watchbill", {
    body: told.body || "",
    tag: told.tag,
    renotify: Boolean(told.tag) && important,
    requireInteraction: important,
    icon: "/static/icon-192.png",
    badge: "/static/icon-192.png",
    data: { link: told.link || "/" },
    actions: told.link ? [{ action: "open", title: told.action || "Open" }] : [],
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data.link, self.location.origin).href;
  event.waitUntil((async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    for (const open of windows) {
      if (open.url === link && "focus" in open) return open.focus();
    }
    return self.clients.openWindow(link);
  })());
});
