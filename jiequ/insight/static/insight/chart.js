// The trend of one indicator, drawn from the data beside it; the table below says the same to whoever sees no picture.

const ground = document.querySelector("[data-chart]");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw() {
  const given = JSON.parse(document.getElementById(ground.dataset.chart).textContent);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const chart = window.echarts.init(ground, null, { renderer: "canvas" });
  chart.setOption({
    animation: !calm,
    textStyle: { color: colour("--ink-2") },
    grid: { left: 48, right: 48, top: 36, bottom: 32 },
    legend: { top: 0, textStyle: { color: colour("--ink-2") } },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: given.days, axisLabel: { color: colour("--ink-3") } },
    yAxis: [
      { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value}%", color: colour("--ink-3") }, splitLine: { lineStyle: { color: colour("--line") } } },
      { type: "value", minInterval: 1, axisLabel: { color: colour("--ink-3") }, splitLine: { show: false } },
    ],
    series: [
      { name: given.n, type: "bar", yAxisIndex: 1, data: given.below, itemStyle: { color: colour("--line") } },
      { name: given.name, type: "line", data: given.shares, connectNulls: false, symbolSize: 7, lineStyle: { width: 3 }, color: colour("--brand") },
    ],
  });
  new ResizeObserver(() => chart.resize()).observe(ground);
}

if (ground && window.echarts) draw();
