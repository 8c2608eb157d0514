// A block of code with a button that copies it.
function render({ model, el }) {
  el.classList.add("synode-code");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "lm-Widget jupyter-widgets jupyter-button widget-button";
  const code = document.createElement("code");
  const block = document.createElement("pre");
  block.tabIndex = 0;
  block.setAttribute("role", "region");
  block.append(code);
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const show = () => {
    code.textContent = model.get("code");
    status.textContent = "";
  };
  const label = () => {
    button.textContent = "Copy code";
    button.setAttribute("aria-label", `Copy code: ${model.get("label")}`);
    block.setAttribute("aria-label", model.get("label"));
  };
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(model.get("code"));
      status.textContent = "Copied";
    } catch {
      // Pages that are not served safely have no clipboard: select the text for the reader to copy.
      select();
      status.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
    }
  });
  model.on("change:code", show);
  model.on("change:label", label);
  label();
  show();
  el.append(block, button, status);
}

export default { render };
