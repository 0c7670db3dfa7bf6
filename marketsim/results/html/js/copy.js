// A button that copies a text; where a page may not reach the clipboard, the text is selected instead.

export function copyable(button, source, status) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      status.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      status.textContent = "Selected: press Ctrl+C";
    }
  });
}
