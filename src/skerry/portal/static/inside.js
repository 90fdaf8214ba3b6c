// The pages of one app: what happens shown as it happens, logs, terminal, files, charts. Texts come from the pages.
"use strict";

// A stream of events that rests while nobody looks: browsers have few connections for all tabs together.
class Stream {
  constructor(path, handlers) {
    this.path = path;
    this.handlers = handlers;
    this.open();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.open()));
    addEventListener("pagehide", () => this.rest());
  }

  open() {
    if (this.source || this.over) return;
    const source = (this.source = new EventSource(this.path));
    if (this.handlers.begin) this.handlers.begin();
    for (const [name, handle] of Object.entries(this.handlers.on)) {
      source.addEventListener(name, (event) => handle(event.data));
    }
    source.addEventListener("end", (event) => {
      this.over = true;
      source.close();
      if (this.handlers.ended) this.handlers.ended(JSON.parse(event.data).why);
    });
    source.addEventListener("error", () => {
      if (this.over) return;
      if (this.handlers.lost) this.handlers.lost();
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        this.source = null; // the browser gave up, the server may be starting again
        setTimeout(() => document.hidden || this.open(), 3000);
      }
    });
  }

  rest() {
    if (this.source) this.source.close();
    this.source = null;
  }
}

function made(tag, text, className) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

// What is replaced keeps the focus of whoever works by keyboard.
function live(element) {
  new Stream(element.dataset.live, {
    on: {
      show(html) {
        const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
        element.innerHTML = html;
        const again = focused && document.getElementById(focused);
        if (again) again.focus();
      },
    },
    ended: (why) => why && location.reload(),
  });
}

const MOST_LINES = 5000;

function log(element) {
  const state = document.getElementById("log-state");
  const follow = document.getElementById("follow");
  const times = document.getElementById("times");
  const search = element.dataset.search.toLowerCase();
  let count = 0;

  function shown(text) {
    const line = document.createElement("span");
    let rest = text;
    for (let at; search && (at = rest.toLowerCase().indexOf(search)) >= 0; ) {
      line.append(rest.slice(0, at), made("mark", rest.slice(at, at + search.length)));
      rest = rest.slice(at + search.length);
    }
    line.append(rest);
    return line;
  }

  function add(lines) {
    const block = document.createDocumentFragment();
    for (const [time, text] of lines) {
      const row = made("div", "", "row");
      row.append(made("time", time.slice(0, 19).replace("T", " ")), shown(text));
      block.append(row);
    }
    element.append(block);
    while (element.childElementCount > MOST_LINES) element.firstElementChild.remove();
    count += lines.length;
    state.textContent = `${count} ${state.dataset.lines}`;
    if (follow.checked) element.scrollTop = element.scrollHeight;
  }

  times.addEventListener("change", () => element.classList.toggle("with-times", times.checked));
  follow.addEventListener("change", () => follow.checked && (element.scrollTop = element.scrollHeight));
  element.addEventListener("scroll", () => {
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (below > 120) follow.checked = false;
  });
  new Stream(element.dataset.log, {
    begin() {
      element.textContent = "";
      count = 0;
    },
    on: { lines: (data) => add(JSON.parse(data)) },
    ended: (why) => (state.textContent = why || (count ? `${count} ${state.dataset.lines}. ${state.dataset.ended}` : state.dataset.none)),
    lost: () => (state.textContent = state.dataset.again),
  });
}

function terminal(element) {
  const state = document.getElementById("terminal-state");
  const again = document.getElementById("terminal-again");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const screen = new Terminal({
    cursorBlink: true,
    fontFamily: colour("--mono"),
    fontSize: 14,
    scrollback: 5000,
    screenReaderMode: matchMedia("(prefers-reduced-motion: reduce)").matches,
    theme: { background: "#0f171b", foreground: "#e6edee", cursor: "#6cc5c1" },
  });
  const fit = new FitAddon.FitAddon();
  screen.loadAddon(fit);
  screen.open(element);
  fit.fit();
  let socket;

  const say = (data) => socket && socket.readyState === WebSocket.OPEN && socket.send(data);
  const size = () => say(JSON.stringify({ columns: screen.cols, rows: screen.rows }));

  function connect() {
    again.hidden = true;
    let why = "";
    socket = new WebSocket(new URL(element.dataset.shell, location.href).href.replace(/^http/, "ws"));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      state.textContent = state.dataset.open;
      size();
      screen.focus();
    });
    socket.addEventListener("message", (event) => {
      if (typeof event.data === "string") why = JSON.parse(event.data).ended;
      else screen.write(new Uint8Array(event.data));
    });
    socket.addEventListener("close", (event) => {
      state.textContent = why || event.reason || state.dataset.lost;
      again.hidden = false;
    });
  }

  screen.onData((text) => say(new TextEncoder().encode(text)));
  screen.onBinary((text) => say(Uint8Array.from(text, (one) => one.charCodeAt(0))));
  screen.onResize(size);
  screen.attachCustomKeyEventHandler((event) => {
    if (event.key !== "F6" || !event.ctrlKey) return true;
    if (event.type === "keydown") (again.hidden ? document.querySelector(".command button") : again).focus();
    return false;
  });
  new ResizeObserver(() => fit.fit()).observe(element);
  again.addEventListener("click", () => {
    screen.reset();
    connect();
  });
  connect();
}

function upload(form) {
  const input = form.querySelector("input[type=file]");
  const state = document.getElementById("upload-state");

  function bring(file) {
    const line = made("p", "", "small-text");
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    line.append(made("span", `${file.name} `), bar);
    state.append(line);
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${form.dataset.to}&name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("x-skerry-form", form.dataset.form);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.upload.addEventListener("progress", (event) => (bar.value = (100 * event.loaded) / (event.total || 1)));
      request.addEventListener("loadend", () => {
        const why = request.status === 200 ? "" : told(request);
        line.textContent = why === "" ? `${file.name} ${state.dataset.done}` : `${file.name} ${state.dataset.failed} ${why}`;
        line.classList.add(why === "" ? "good" : "bad");
        done(why === "");
      });
      request.send(file);
    });
  }

  function told(request) {
    try {
      return JSON.parse(request.responseText).why;
    } catch {
      return state.dataset.lost;
    }
  }

  async function all(files) {
    state.textContent = "";
    let whole = files.length > 0;
    for (const file of files) whole = (await bring(file)) && whole;
    input.value = "";
    if (whole) setTimeout(() => location.reload(), 600);
  }

  input.addEventListener("change", () => all([...input.files]));
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    all([...event.dataTransfer.files]);
  });
}

const KEPT_POINTS = 360;
const MIB = 1024 * 1024;

function usage(element) {
  const language = document.documentElement.lang;
  const number = (value, digits) => value.toLocaleString(language, { maximumFractionDigits: digits });
  const words = {
    cpu: (value) => `${number(value, 2)} ${element.dataset.labelCpu}`,
    memory: (value) => `${number(value / MIB, 0)} ${element.dataset.labelMemory}`,
  };
  const data = { cpu: [[], [], []], memory: [[], [], []] };
  const charts = {};

  function chart(kind) {
    const place = document.getElementById(`${kind}-chart`);
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const scale = kind === "memory" ? MIB : 1;
    const steps = kind === "memory" ? { incrs: Array.from({ length: 30 }, (_one, power) => (MIB / 4) * 2 ** power) } : {};
    const clock = (at) => new Date(at * 1000).toLocaleTimeString(language, { timeStyle: "medium" });
    return new uPlot(
      {
        width: place.clientWidth,
        height: 180,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.15, scale * 0.01)] } },
        axes: [{ ...axis, space: 90, values: (_plot, times) => times.map(clock) }, { ...axis, ...steps, size: 64, values: (_plot, values) => values.map((one) => number(one / scale, 2)) }],
        series: [
          {},
          { stroke: colour("--accent"), width: 2, fill: colour("--accent-soft") },
          { stroke: colour("--edge"), width: 1, dash: [6, 4], points: { show: false } },
        ],
      },
      data[kind],
      place,
    );
  }

  function show(point) {
    document.getElementById("usage-state").textContent = "";
    for (const kind of ["cpu", "memory"]) {
      const limit = point.limits ? point.limits[kind] : null;
      [point.time, point.total[kind], limit].forEach((value, place) => data[kind][place].push(value));
      if (data[kind][0].length > KEPT_POINTS) data[kind].forEach((values) => values.shift());
      const used = words[kind](point.total[kind]);
      document.getElementById(`${kind}-now`).textContent =
        limit === null ? `${element.dataset.labelUsed} ${used}` : `${element.dataset.labelUsed} ${used}, ${element.dataset.labelLimit} ${words[kind](limit)}`;
      if (window.uPlot) (charts[kind] ||= chart(kind)).setData(data[kind]);
    }
    const rows = document.getElementById("usage-pods");
    rows.textContent = "";
    for (const [name, used] of Object.entries(point.pods).sort()) {
      const row = document.createElement("tr");
      row.append(made("td", name), made("td", words.cpu(used.cpu)), made("td", words.memory(used.memory)));
      row.children[1].dataset.label = rows.dataset.cpu;
      row.children[2].dataset.label = rows.dataset.memory;
      rows.append(row);
    }
  }

  new ResizeObserver(() => {
    for (const [kind, plot] of Object.entries(charts)) plot.setSize({ width: document.getElementById(`${kind}-chart`).clientWidth, height: 180 });
  }).observe(element);
  new Stream(element.dataset.usage, {
    on: {
      point: (text) => show(JSON.parse(text)),
      nothing: (text) => (document.getElementById("usage-state").textContent = JSON.parse(text).why),
    },
    ended: (why) => why && (document.getElementById("usage-state").textContent = why),
  });
}

function choose(select) {
  select.addEventListener("change", () => {
    const form = select.form;
    form.elements.pod.value = select.selectedOptions[0].dataset.pod;
    form.elements.container.value = select.selectedOptions[0].dataset.container;
    form.requestSubmit();
  });
}

// What a form chooses is in the command that does the same.
function command(form) {
  const shown = form.nextElementSibling.querySelector("code");
  form.addEventListener("change", (event) => (shown.textContent = form.dataset.command + event.target.value));
}

document.addEventListener("DOMContentLoaded", () => {
  const begin = (selector, start) => document.querySelectorAll(selector).forEach(start);
  begin("[data-live]", live);
  begin("[data-log]", log);
  begin("[data-shell]", (element) => window.Terminal && terminal(element));
  begin("#upload", upload);
  begin("[data-usage]", usage);
  begin("[data-choose]", choose);
  begin("[data-command]", command);
});
