// A button that copies the field it names; without JavaScript the field can be copied by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // a page without https has no clipboard
    }
    button.textContent = "Copied";
  });
}

// A strip that is wider than the screen begins at the present.
for (const present of document.querySelectorAll(".strip .lane:not(.dates) .present")) {
  const strip = present.closest(".strip");
  strip.scrollLeft = Math.max(present.offsetLeft - 48, 0);
}
