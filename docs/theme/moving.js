const root = document.body;
const dark = () => root.getAttribute("data-md-color-scheme") === "slate";

function theme() {
  const style = getComputedStyle(root);
  const ink = style.getPropertyValue("--md-default-fg-color").trim();
  const soft = style.getPropertyValue("--md-default-fg-color--light").trim();
  const type = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: "transparent",
    font: style.fontFamily,
    view: { stroke: null },
    axis: { ...type, grid: false, domainColor: soft, tickColor: soft },
    legend: { ...type, title: null, symbolStrokeWidth: 3, symbolSize: 150 },
    title: { anchor: "start", color: ink, subtitleColor: ink, fontSize: 14, subtitleFontSize: 12 },
    text: { color: ink },
    rule: { color: soft },
  };
}

async function draw(figure) {
  const live = figure.querySelector(".live");
  const values = figure.view ? inputs(live) : [];
  const specification = JSON.parse(figure.querySelector("script").textContent);
  figure.view?.finalize();
  const { view } = await vegaEmbed(live, specification, { actions: false, renderer: "svg", config: theme() });
  figure.view = view;
  for (const [name, value] of values) view.signal(name, value);
  await view.runAsync();
  live.hidden = false;
  figure.querySelector("img").hidden = true;
}

function inputs(live) {
  return [...live.querySelectorAll("input[name]")].map((input) => [
    input.name,
    input.type === "checkbox" ? input.checked : Number(input.value),
  ]);
}

async function drawAll() {
  for (const figure of document.querySelectorAll("[data-moving]")) await draw(figure);
}

new MutationObserver(drawAll).observe(root, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
drawAll();
