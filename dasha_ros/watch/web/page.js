"use strict";
// Shows what the server sends, and sends it goals. Texts go in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const curves = new Curves($("curves"));
const belief = new Belief($("belief"));
const region = new Region($("view"), $("region"), $("picture"), (edges) => send(edges));
const AGAIN_MS = [300, 600, 1200, 2500, 5000];
let socket = null, failures = 0, pictureAt = 0, quietTimer = 0;

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function passingTrouble(text) {
  trouble(text);
  clearTimeout(quietTimer);
  quietTimer = setTimeout(() => trouble(""), 8000);
}

function headline(text, kind) {
  $("state").textContent = text;
  $("state").className = kind;
}

const number = (value, digits) => (typeof value === "number" ? value.toPrecision(digits) : "–");
const duration = (us) => (us >= 1e6 ? `${number(us / 1e6, 3)} s` : us >= 1e3 ? `${number(us / 1e3, 3)} ms` : `${number(us, 3)} µs`);

const KINDS = { focused: "good", failed: "bad", idle: "", restoring: "busy", exposing: "busy", focusing: "busy", holding: "busy" };
let graph = null, state = null;

// A graph that comes back may be in the state that it was in before, which is not sent again.
function describe() {
  if (graph && !graph.there) {
    headline("no graph", "bad");
    trouble(`No graph answers in ${graph.namespace}. Start it with dasha up, in the same ROS_DOMAIN_ID.`);
  } else if (state) {
    const kind = KINDS[state.state], what = state.labels.join(", ");
    const step = kind === "busy" ? `, step ${state.step}` : "";
    headline(`${state.state}${what ? ` on ${what}` : ""}${step}${state.training ? ", training" : ""}`, kind);
    document.title = `${state.state} – dasha`;
    $("message").textContent = state.text;
    $("cancel").disabled = kind !== "busy";
  }
}

const facts = {
  graph(now) {
    if (graph && !graph.there && now.there) trouble("");
    graph = now;
    describe();
  },
  state(now) {
    state = now;
    region.show(now.region);
    describe();
  },
  lens({ unit, dioptres }) {
    curves.unit(unit);
    belief.at(dioptres);
  },
  belief: (now) => belief.show(now),
  labels(known) {
    $("known").replaceChildren(...known.map((label) => Object.assign(document.createElement("option"), { value: label })));
  },
  outcome({ goal, ended, found, text, report }) {
    $("outcome").textContent = `${goal}: ${text}`;
    $("outcome").className = !ended ? "busy" : found ? "good" : "bad";
  },
  reports(names) {
    $("reports").replaceChildren(...names.map((name) => {
      const link = Object.assign(document.createElement("a"), { textContent: name, target: "_blank", rel: "noopener" });
      link.href = `reports/${encodeURIComponent(name)}/index.html`;
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    if (!names.length) $("reports").replaceChildren("none on this machine");
  },
  trouble: passingTrouble,
};

function rows(news) {
  if (!news.length) return;
  curves.add(news);
  const last = news.findLast((row) => "exposure" in row);
  if (last) $("caption").textContent = `exposure ${duration(last.exposure)}, lens ${number(last.lens, 4)}, score ${number(last.score, 2)}, BRISQUE ${number(last.brisque, 3)}`;
}

function picture(data) {
  const url = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
  const image = $("picture"), before = image.src;
  image.onload = () => {
    if (before) URL.revokeObjectURL(before);
    if (!pictureAt) pictureAt = performance.now();
    document.documentElement.dataset.firstPictureMs = Math.round(pictureAt);
  };
  image.src = url;
  image.hidden = false;
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    failures = 0;
    trouble("");
    curves.clear();
    graph = state = null;
  };
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return picture(data);
    const update = JSON.parse(data);
    for (const name in update.facts) facts[name]?.(update.facts[name]);
    rows(update.rows);
  };
  socket.onclose = () => {
    headline("not connected", "bad");
    trouble("The server does not answer; trying again. If dasha watch was started anew with a token, open its new address.");
    setTimeout(connect, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
  };
}

function ask(order) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(order));
  else passingTrouble("Not sent: the server does not answer.");
}

function send(edges) {
  const order = { do: "goal", labels: $("labels").value.trim() ? [$("labels").value] : [] };
  for (const name of ["keep_exposure", "any_object", "by_priority", "hold"]) order[name] = $(name).checked;
  for (const name of ["min_score", "max_brisque", "max_steps", "min_distance_m", "max_distance_m", "max_seconds"]) {
    if ($(name).value) order[name] = Number($(name).value);
  }
  if (edges) order.region = edges;
  ask(order);
}

$("goal").addEventListener("submit", (event) => {
  event.preventDefault();
  send(null);
});
$("cancel").addEventListener("click", () => ask({ do: "cancel" }));
connect();
