// Says in words what went wrong with a passkey, where its own script only writes to the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  let note = document.getElementById("passkey-said");
  if (!note) {
    note = Object.assign(document.createElement("p"), { id: "passkey-said", className: "notice error" });
    note.setAttribute("role", "alert");
    document.querySelector("main form").before(note);
  }
  const name = event.detail?.exception?.name;
  note.textContent = name === "NotAllowedError"
    ? "Nothing was chosen, or it took too long. Try again."
    : name === "InvalidStateError"
      ? "This device has a passkey for your account already."
      : window.isSecureContext ? "The passkey could not be used. Try again, or use your password." : "Passkeys need https:// in the address of this page.";
});
