const charts = JSON.parse(document.getElementById("charts").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue("--" + name).trim();
const frames = [...document.querySelectorAll("[data-chart]")];
const rows = [...document.querySelectorAll("tr[data-place]")];
const picker = document.querySelector(".picker");
const views = new Map();
let marked = -1;

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
    style: { marked: { stroke: ink } },
    range: { heatmap: [colour("low"), colour("middle"), colour("high")] },
  };
}

async function draw() {
  for (const frame of frames) {
    const spec = charts[frame.dataset.chart];
    const tooltip = { theme: dark.matches ? "dark" : "light" };
    const { view } = await vegaEmbed(frame, spec, { actions: false, ast: true, tooltip, config: theme() });
    view.addEventListener("click", (event, item) => mark(item?.datum?.place ?? -1));
    views.set(frame, view);
    await tell(view);
  }
}

const tell = (view) => view.signal("layer", marked).runAsync();

// One layer is marked in all charts and in the table; marking it again takes the mark away.
function mark(place) {
  marked = place === marked || place < 0 ? -1 : place;
  views.forEach(tell);
  for (const row of rows) {
    const own = Number(row.dataset.place) === marked;
    row.classList.toggle("marked", own);
    row.querySelector("button").setAttribute("aria-pressed", own);
  }
  if (picker) {
    picker.querySelector("select").value = marked;
    picker.querySelector("output").textContent = numbers(rows.find((row) => Number(row.dataset.place) === marked));
  }
}

function numbers(row) {
  if (!row) return "";
  const titles = [...row.closest("table").querySelectorAll("thead th")].slice(1);
  const cells = [...row.querySelectorAll("td")];
  return cells.map((cell, i) => titles[i].textContent + " " + cell.textContent)
    .filter((text) => !text.endsWith("–")).join(" · ");
}

// Where a page may not write to the clipboard its lines are selected, for a keyboard to copy.
async function copy(button, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = "selected";
  }
  setTimeout(() => (button.textContent = "copy"), 1500);
}

for (const block of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "copy";
  button.addEventListener("click", () => copy(button, block.querySelector("code")));
  block.append(button);
}
for (const row of rows) {
  row.querySelector("button").addEventListener("click", () => mark(Number(row.dataset.place)));
}
if (picker) {
  picker.hidden = false;
  picker.addEventListener("submit", (event) => event.preventDefault());
  picker.querySelector("select").addEventListener("change", (event) => {
    const chosen = Number(event.target.value);
    if (chosen !== marked) mark(chosen);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") mark(-1);
  });
}
dark.addEventListener("change", draw);
draw();
