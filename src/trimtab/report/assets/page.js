const charts = JSON.parse(document.getElementById("charts").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue("--" + name).trim();

function theme() {
  const ink = colour("ink"), soft = colour("soft"), line = colour("line");
  const type = { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, labelColor: ink, titleColor: soft };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis: { ...type, gridColor: line, domainColor: line, tickColor: line, labelPadding: 6, titlePadding: 10 },
    legend: { ...type, titleFontSize: 12, titlePadding: 6, symbolType: "stroke", symbolStrokeWidth: 3, offset: 8 },
    rule: { color: soft },
    range: { heatmap: [colour("low"), colour("middle"), colour("high")] },
  };
}

async function draw() {
  for (const frame of document.querySelectorAll("[data-chart]")) {
    const spec = charts[frame.dataset.chart];
    const tooltip = { theme: dark.matches ? "dark" : "light" };
    await vegaEmbed(frame, spec, { actions: false, ast: true, tooltip, config: theme() });
  }
}

dark.addEventListener("change", draw);
draw();
