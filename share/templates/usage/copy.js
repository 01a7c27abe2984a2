// Buttons that copy the text of a field. Without this script, or where the browser does not allow it, the field's text
// is there to be selected.
for (const button of document.querySelectorAll("[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const said = document.getElementById(`${field.id}-copied`);
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "Your browser does not let this page copy. The link is selected: copy it by the keyboard.";
    }
  });
}
