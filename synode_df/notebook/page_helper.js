// What widgets leave to the page: sliders without names for screen readers, charts that were drawn before their place had its width.
function nameSliders(panel) {
  for (const slider of panel.querySelectorAll(".widget-slider")) {
    const label = slider.querySelector(".widget-label");
    if (!label) continue;
    const name = label.title || label.textContent;
    const handles = slider.querySelectorAll("[role=slider]");
    handles.forEach((handle, place) => {
      const end = handles.length > 1 ? (place ? " (highest)" : " (lowest)") : "";
      if (handle.getAttribute("aria-label") !== name + end) handle.setAttribute("aria-label", name + end);
    });
    const readout = slider.querySelector(".widget-readout[contenteditable]");
    if (readout && !readout.hasAttribute("aria-label")) {
      readout.setAttribute("role", "textbox");
      readout.setAttribute("aria-label", `${name}, as a number`);
    }
  }
}

function render({ el }) {
  let sizes, changes, waiting;
  const begin = () => {
    const panel = el.closest(".widget-vbox");
    if (!panel) return void (waiting = requestAnimationFrame(begin));
    let width = 0;
    const refit = () => {
      for (const chart of panel.querySelectorAll(".js-plotly-plot")) {
        const room = chart.clientWidth;
        if (room && chart._fullLayout && Math.abs(chart._fullLayout.width - room) > 1) {
          window.dispatchEvent(new Event("resize"));
          return;
        }
      }
    };
    sizes = new ResizeObserver(() => {
      if (panel.clientWidth !== width) {
        width = panel.clientWidth;
        setTimeout(refit, 50);
      }
    });
    sizes.observe(panel);
    let due = false;
    changes = new MutationObserver(() => {
      if (due) return;
      due = true;
      setTimeout(() => {
        due = false;
        nameSliders(panel);
        refit();
      }, 200);
    });
    changes.observe(panel, { childList: true, subtree: true });
    nameSliders(panel);
    setTimeout(refit, 300);
  };
  begin();
  return () => {
    cancelAnimationFrame(waiting);
    sizes?.disconnect();
    changes?.disconnect();
  };
}

export default { render };
