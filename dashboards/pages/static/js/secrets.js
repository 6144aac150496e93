// Secrets that a page shows once: copied by a button, or saved as a file; and a file that fills a text field.

const SHOWN_MS = 2000;

for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies), label = button.textContent;
  button.hidden = !navigator.clipboard; // Only a page over TLS or on this machine has a clipboard.
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, SHOWN_MS);
  });
}

for (const button of document.querySelectorAll("button[data-saves]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const content = document.getElementById(button.dataset.saves).value;
    const address = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = button.dataset.file;
    link.click();
    URL.revokeObjectURL(address);
  });
}

for (const secret of document.querySelectorAll("#secret")) secret.addEventListener("focus", () => secret.select());

for (const input of document.querySelectorAll("input[data-fills]")) {
  input.closest("label").hidden = false;
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) document.getElementById(input.dataset.fills).value = await file.text();
  });
}
