// The page's moving parts. One WebSocket brings pictures with what was found in them: four bytes of length (big-endian),
// so many bytes of JSON, then a JPEG. Every picture is acknowledged when it is on the screen: a page that can't keep up
// is sent fewer. Text messages bring the state of a camera that sends no pictures.

const STAGES = 120; // pictures in the chart
const LATE_MS = 1000;
const byId = (id) => document.getElementById(id);
const view = byId("view");
const threshold = byId("threshold");

let socket = null;
let shown = null; // {head, picture, captured}: what is on the screen; captured on this page's clock, in ms
let offset = null; // this page's clock minus the server's, in ms, as the quickest answer so far tells it
let quickest = Infinity;
let retry = 500;
let watched = null; // the name of the source that was chosen; null: the server's first
const history = [];

// ---- the connection

function connect() {
  const where = new URL("live", location.href);
  where.protocol = where.protocol.replace("http", "ws");
  if (watched !== null) where.searchParams.set("source", watched);
  socket = new WebSocket(where);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    retry = 500;
    quickest = Infinity;
    ping();
  };
  socket.onmessage = (event) => (typeof event.data === "string" ? hear(JSON.parse(event.data)) : see(event.data));
  socket.onclose = (event) => {
    if (retry) say("offline", event.reason || "no connection to edgedet; trying again");
    setTimeout(connect, retry);
    retry = Math.min(2 * retry || 500, 8000);
  };
}

function send(message) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function ping() {
  send({ ping: performance.now() });
}

function hear(message) {
  if ("ping" in message) {
    // Half of the way there and back is the way back, at best: the quickest answer is the best clock.
    const now = performance.now();
    const took = now - message.ping;
    if (took <= quickest) {
      quickest = took;
      offset = now - took / 2 - message.now_s * 1000;
    }
  } else {
    report(message);
  }
}

async function see(data) {
  const length = new DataView(data).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const received = performance.now();
  try {
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
    // Without an answer to the first ping yet, the way here counts as nothing.
    const captured = head.captured_s * 1000 + (offset ?? received - head.now_s * 1000);
    shown?.picture.close();
    shown = { head, picture, captured };
    history.push(head.stages);
    if (history.length > STAGES) history.shift();
    requestAnimationFrame(draw);
  } finally {
    send({ shown: head.number });
  }
}

// ---- words

function say(state, text) {
  byId("state").dataset.state = state;
  byId("state").textContent = state;
  byId("notice").hidden = !text;
  byId("notice").textContent = text || "";
}

function report(stats) {
  const who = stats.who || "the camera";
  const words = {
    timeout: `${who} sends nothing`,
    error: stats.over ? `${who} is lost; start edgedet again when it is back` : `${who} is lost; trying again`,
    end: "the stream has ended",
  };
  say(stats.state, words[stats.state]);
  byId("source").textContent = stats.sources.length > 1 ? `${stats.sources.length} cameras` : stats.sources.join();
  offer(stats.sources);
  byId("fps").textContent = stats.fps.toFixed(stats.fps < 10 ? 1 : 0);
  byId("dropped").textContent = stats.captured ? `${((100 * stats.dropped) / stats.captured).toFixed(0)} %` : "–";
  byId("dropped").title = `${stats.dropped} of ${stats.captured} frames`;
}

function offer(sources) {
  const choice = byId("watch");
  const there = [...choice.options].map((option) => option.value);
  if (there.join("\n") !== sources.join("\n")) choice.replaceChildren(...sources.map((name) => new Option(name)));
  choice.hidden = sources.length < 2;
  if (shown && choice !== document.activeElement) choice.value = shown.head.source;
}

function milliseconds(value) {
  return value < 9.95 ? `${value.toFixed(1)} ms` : value < 9950 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(0)} s`;
}

function color(classId) {
  // As edgedet.drawing has it: steps of the golden ratio around the hue circle.
  return `hsl(${((classId * 0.618033988749895 + 0.07) % 1) * 360} 82% 55%)`;
}

function ink(classId) {
  const hue = ((classId * 0.618033988749895 + 0.07) % 1) * 360;
  return hue > 35 && hue < 200 ? "#000" : "#fff";
}

function kept() {
  return shown.head.found.filter((one) => one.score > Number(threshold.value));
}

// ---- pictures

function fit(canvas) {
  // A canvas has as many pixels as the screen gives it, so that lines and words are sharp at any size and zoom.
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return ratio;
}

function draw() {
  if (!shown) return;
  const { head, picture } = shown;
  const [width, height] = head.size_wh;
  view.style.aspectRatio = `${width} / ${height}`;
  const ratio = fit(view);
  const pen = view.getContext("2d");
  const scale = Math.min(view.width / width, view.height / height);
  const left = (view.width - width * scale) / 2;
  const top = (view.height - height * scale) / 2;
  pen.clearRect(0, 0, view.width, view.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, left, top, width * scale, height * scale);
  const found = kept();
  for (const one of found.filter((one) => one.box).reverse()) {
    const [x1, y1, x2, y2] = one.box.map((value, i) => (i % 2 ? top : left) + value * scale);
    pen.lineJoin = "round";
    for (const [style, line] of [["rgb(0 0 0 / .6)", 4 * ratio], [color(one.class_id), 2 * ratio]]) {
      pen.strokeStyle = style;
      pen.lineWidth = line;
      pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
    }
  }
  pen.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  found.slice().reverse().forEach((one, i) => label(pen, one, found.length - 1 - i, { left, top, scale, ratio }));
  list(found);
  chart();
  byId("snapshot").disabled = false;
}

function label(pen, one, row, { left, top, scale, ratio }) {
  const text = `${one.label} ${one.score.toFixed(2)}`;
  const high = 19 * ratio;
  const wide = pen.measureText(text).width + 10 * ratio;
  // What has no box is about the whole picture: a list in its corner.
  const at = one.box ?? [8 * ratio / scale, ((8 + 19 * row) * ratio + high) / scale];
  const x = Math.max(0, Math.min(left + at[0] * scale, view.width - wide));
  const y = Math.max(0, top + at[1] * scale - high);
  pen.fillStyle = color(one.class_id);
  pen.fillRect(x, y, wide, high);
  pen.fillStyle = ink(one.class_id);
  pen.fillText(text, x + 5 * ratio, y + high / 2 + ratio);
}

function list(found) {
  const counts = new Map();
  for (const one of found) counts.set(one.class_id, { label: one.label, count: (counts.get(one.class_id)?.count ?? 0) + 1 });
  byId("count").textContent = found.length;
  byId("classes").replaceChildren(
    ...[...counts].sort((a, b) => b[1].count - a[1].count || a[0] - b[0]).map(([classId, { label, count }]) => {
      const item = document.createElement("li");
      item.textContent = count > 1 ? `${label} × ${count}` : label;
      item.style.borderLeftColor = color(classId);
      return item;
    }),
  );
}

function chart() {
  const canvas = byId("chart");
  fit(canvas);
  const pen = canvas.getContext("2d");
  const names = Object.keys(history.at(-1));
  const styles = getComputedStyle(document.documentElement);
  const totals = history.map((stages) => names.reduce((sum, name) => sum + (stages[name] ?? 0), 0));
  const most = Math.max(...totals, 1e-4) * 1.1;
  const step = canvas.width / STAGES;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  history.forEach((stages, i) => {
    let base = canvas.height;
    names.forEach((name, k) => {
      const high = ((stages[name] ?? 0) / most) * canvas.height;
      pen.fillStyle = styles.getPropertyValue(`--stage-${k % 5}`);
      pen.fillRect(Math.floor((STAGES - history.length + i) * step), base - high, Math.ceil(step), high);
      base -= high;
    });
  });
  byId("legend").replaceChildren(
    ...names.map((name, k) => {
      const item = document.createElement("li");
      const mark = document.createElement("i");
      const value = document.createElement("b");
      mark.style.background = `var(--stage-${k % 5})`;
      value.textContent = milliseconds(1000 * history.at(-1)[name]);
      item.append(mark, name, value);
      return item;
    }),
  );
}

function tick() {
  if (shown) {
    const age = performance.now() - shown.captured;
    byId("age").textContent = milliseconds(Math.max(0, age));
    byId("age").classList.toggle("late", age > LATE_MS);
  }
}

// ---- people

threshold.addEventListener("input", () => {
  byId("threshold-value").textContent = Number(threshold.value).toFixed(2);
  draw();
});
byId("snapshot").addEventListener("click", () => {
  // As it is on the screen, but in the picture's own size.
  const link = document.createElement("a");
  link.href = `snapshot.jpg?number=${shown.head.number}&threshold=${threshold.value}`;
  link.download = `edgedet-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`;
  link.click();
});
byId("watch").addEventListener("change", (event) => {
  watched = event.target.value;
  event.target.blur();
  history.length = 0;
  retry = 0;
  socket.close();
});
new ResizeObserver(draw).observe(view);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
setInterval(tick, 100);
setInterval(ping, 5000);
connect();
