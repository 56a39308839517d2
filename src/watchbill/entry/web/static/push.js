// Push to this device: subscribe this browser with the instance's key and hand the subscription over.
(() => {
  const form = document.getElementById("push");
  if (!form) return;
  const said = document.getElementById("push-said");
  const button = form.querySelector("button");
  const say = (words, wrong) => { said.textContent = words; said.className = wrong ? "notice error" : "notice"; };

  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    const secure = window.isSecureContext
      ? "On an iPhone, add Watchbill to the home screen and open it from there."
      : "It needs https:// in the address of this page.";
    say(`This browser cannot take push messages here. ${secure}`, true);
    return;
  }
  button.disabled = false;
  const device = form.elements.namedItem("device");
  if (!device.value) device.value = /iPhone|iPad|Android/.exec(navigator.userAgent)?.[0] ?? "this computer";

  const bytes = (text) => {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (text.length % 4)) % 4));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };

  const subscribe = async () => {
    if ((await Notification.requestPermission()) !== "granted") {
      throw new Error("This browser does not let Watchbill notify you. Allow it in the settings of the site, then try again.");
    }
    await navigator.serviceWorker.register("/sw.js");
    const worker = await navigator.serviceWorker.ready;
    const old = await worker.pushManager.getSubscription();
    if (old) await old.unsubscribe();
    return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say("Asking this browser…");
    try {
      const subscription = await subscribe();
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.namedItem("csrfmiddlewaretoken").value },
        body: JSON.stringify({ subscription: subscription.toJSON(), device: device.value }),
      });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.message);
      say("A code is on its way to this device.");
      location.assign(told.go);
    } catch (error) {
      say(error.message || "The browser refused.", true);
      button.disabled = false;
    }
  });
})();
