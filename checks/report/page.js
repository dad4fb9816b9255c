"use strict";

// --- The ledger: filter, sort, open, copy ---------------------------------------------------------------------

(() => {
  const table = document.getElementById("claims");
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const openAll = document.getElementById("open-all");
  const bodies = [...table.tBodies];
  const claims = bodies.filter((body) => body.classList.contains("claim"));
  const texts = new Map(claims.map((body) => [body, body.textContent.toLowerCase()]));
  let sorted = { key: "claim", up: true };

  function filter() {
    const wanted = (name) => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
    const verdicts = wanted("verdict");
    const kinds = wanted("evidence");
    const section = form.elements.section.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const body of claims) {
      const fits =
        verdicts.has(body.dataset.name) &&
        (body.dataset.kind === "" || kinds.has(body.dataset.kind)) &&
        (section === "" || body.dataset.section === section) &&
        words.every((word) => texts.get(body).includes(word));
      body.hidden = !fits;
      count += fits;
    }
    const all = `${claims.length} claim${claims.length === 1 ? "" : "s"}`;
    shown.value = count === claims.length ? all : `${count} of ${all}`;
    headings();
  }

  // --- the address: #claim, or #claim?text=...&section=...&verdict=...&evidence=...: what is searched, filtered and open

  let current = "";
  let many = false; // folds open or close without being meant one by one

  let waiting = 0;
  function remember() { // once for what happens at once: browsers slow down who writes addresses by the dozen
    clearTimeout(waiting);
    waiting = setTimeout(write, 50);
  }

  function write() {
    const wanted = new URLSearchParams();
    for (const name of ["text", "section"]) if (form.elements[name].value) wanted.set(name, form.elements[name].value);
    for (const name of ["verdict", "evidence"]) {
      const boxes = [...form.querySelectorAll(`input[name=${name}]`)];
      if (!boxes.every((box) => box.checked)) wanted.set(name, boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    }
    const words = wanted.toString();
    const address = current + (words ? `?${words}` : "");
    if (address === location.hash.slice(1)) return;
    history.replaceState(null, "", address ? `#${address}` : location.href.split("#")[0]);
  }

  function recall() {
    const [place, ...rest] = location.hash.slice(1).split("?");
    if (rest.length) {
      const wanted = new URLSearchParams(rest.join("?"));
      for (const name of ["text", "section"]) form.elements[name].value = wanted.get(name) ?? "";
      for (const name of ["verdict", "evidence"]) {
        const values = wanted.get(name)?.split(",");
        for (const box of form.querySelectorAll(`input[name=${name}]`)) box.checked = !values || values.includes(box.value);
      }
      filter();
    }
    let name = place;
    try { name = decodeURIComponent(place); } catch { /* a stray percent sign: no claim is called so */ }
    const found = document.getElementById(name);
    current = found ? name : "";
    return found;
  }

  // A section's heading stands while the order is the paper's and one of its claims is visible.
  function headings() {
    let heading = null;
    for (const body of table.tBodies) {
      if (body.classList.contains("heading")) {
        heading = body;
        heading.hidden = true;
      } else if (!body.hidden && heading) {
        heading.hidden = !(sorted.key === "claim" && sorted.up);
        heading = null;
      }
    }
  }

  function sort(key, up) {
    sorted = { key, up };
    const value = (body) => (body.dataset[key] === "" ? Infinity : Number(body.dataset[key]));
    const headed = bodies.filter((body) => !claims.includes(body));
    const ordered = [...claims].sort((a, b) => compare(value(a), value(b), up) || a.dataset.claim - b.dataset.claim);
    table.append(...(key === "claim" && up ? bodies : headed.concat(ordered)));
    for (const th of table.tHead.rows[0].cells) {
      const here = th.dataset.key === key;
      if (here) th.setAttribute("aria-sort", up ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    }
    headings();
  }

  function compare(a, b, up) {
    if (a === b) return 0;
    return (a < b ? -1 : 1) * (up ? 1 : -1);
  }

  for (const th of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    button.addEventListener("click", () => {
      const key = th.dataset.key;
      sort(key, sorted.key === key ? !sorted.up : true);
    });
    th.replaceChildren(button);
  }

  function folds() {
    return claims.filter((body) => !body.hidden).map((body) => body.querySelector("details"));
  }

  function nameOfOpenAll() {
    openAll.textContent = folds().length && folds().every((fold) => fold.open) ? "Close all" : "Open all";
  }

  openAll.addEventListener("click", () => {
    const every = folds();
    const open = !every.every((fold) => fold.open);
    many = true;
    for (const fold of every) fold.open = open;
    setTimeout(() => { many = false; }, 200);
  });
  table.addEventListener("toggle", nameOfOpenAll, true);

  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); sort("claim", true); nameOfOpenAll(); remember(); }));

  // A link to a claim opens it; so does a click anywhere on its row. The one that was opened last is in the address.
  function follow() {
    const body = recall();
    if (!body || !body.classList.contains("claim")) return;
    if (body.hidden) form.reset();
    body.hidden = false;
    body.querySelector("details").open = true;
    body.scrollIntoView({ block: "start" });
  }
  window.addEventListener("hashchange", follow);
  table.addEventListener("toggle", (event) => {
    const body = event.target.closest("tbody.claim");
    if (!body || many || event.target.parentElement !== body.rows[1]?.cells[0]) return;
    if (event.target.open) current = body.id;
    else if (current === body.id) current = "";
    remember();
  }, true);
  for (const body of claims) {
    body.rows[0].addEventListener("click", (event) => {
      if (event.target.closest("a") || getSelection().toString()) return;
      const fold = body.querySelector("details");
      fold.open = !fold.open;
    });
  }

  // Print is a hand-out: verdicts, surprises and what is open; "Print all" opens the rest of what is filtered first.
  let closed = [];
  for (const button of document.querySelectorAll("button[data-prints]")) {
    button.addEventListener("click", () => {
      document.documentElement.classList.toggle("whole", button.dataset.prints === "whole");
      window.print();
    });
  }
  window.addEventListener("beforeprint", () => {
    many = true;
    if (!document.documentElement.classList.contains("whole")) return;
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const fold of closed) fold.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const fold of closed) fold.open = false;
    closed = [];
    document.documentElement.classList.remove("whole");
    setTimeout(() => { many = false; }, 200); // folds say so later
  });

  // Pictures in full size.
  const large = document.getElementById("large");
  for (const button of document.querySelectorAll("button[data-enlarges]")) {
    button.hidden = false;
    const enlarge = () => {
      const picture = document.getElementById(button.dataset.enlarges);
      const image = large.querySelector("img");
      image.src = picture.querySelector("image").getAttribute("href");
      image.alt = button.previousElementSibling.getAttribute("aria-label");
      large.showModal();
    };
    button.addEventListener("click", enlarge);
    button.previousElementSibling.addEventListener("click", enlarge);
  }
  large.addEventListener("click", (event) => { if (event.target.tagName !== "IMG") large.close(); });

  async function copy(button) {
    const source = document.getElementById(button.dataset.copies);
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }
  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  form.hidden = false;
  form.reset(); // what a browser kept of an earlier visit
  filter();
  sort("claim", true);
  follow();
})();

// --- The walk: one slider, the risk by a forward pass here, the units where they are ---------------------------

(() => {
  const data = JSON.parse(document.getElementById("walk-data").textContent);
  const slider = document.getElementById("position");
  const piece = document.getElementById("piece");
  const risk = document.getElementById("risk");
  const views = [...document.querySelectorAll(".scene")];
  const radios = [...document.querySelectorAll("input[name=route]")];

  // The point at path parameter t: every piece has the same share of [0, 1].
  function at(route, t) {
    const pieces = route.points.length - 1;
    const k = Math.min(Math.floor(t * pieces), pieces - 1);
    const s = t * pieces - k;
    return { k, theta: route.points[k].map((a, i) => (1 - s) * a + s * route.points[k + 1][i]) };
  }

  // F(theta) = sum_i weight_i (b relu(W x_i) - y_i)^2 + kappa |b|_1; theta holds the rows of W, then b.
  function value(scene, theta) {
    const m = scene.units;
    let total = 0;
    scene.X.forEach((x, i) => {
      let output = 0;
      for (let j = 0; j < m; j += 1) output += theta[2 * m + j] * Math.max(0, theta[2 * j] * x[0] + theta[2 * j + 1] * x[1]);
      total += scene.weights[i] * (output - scene.Y[i]) ** 2;
    });
    for (let j = 0; j < m; j += 1) total += scene.kappa * Math.abs(theta[2 * m + j]);
    return total;
  }

  function chosen() {
    const [s, r] = radios.find((radio) => radio.checked).value.split("-").map(Number);
    return { s, r, scene: data.scenes[s], route: data.scenes[s].routes[r] };
  }

  function choose() {
    const { s, r } = chosen();
    views.forEach((view, k) => { view.hidden = k !== s; });
    for (const curve of views[s].querySelectorAll(".route")) {
      curve.classList.toggle("chosen", Number(curve.dataset.route) === r);
      if (Number(curve.dataset.route) === r) views[s].querySelector(".cursor").before(curve); // above those that coincide
    }
    for (const radio of radios) radio.closest("tr").classList.toggle("chosen", radio.checked);
    draw();
  }

  function draw() {
    const { s, scene, route } = chosen();
    const t = slider.value / slider.max;
    const { k, theta } = at(route, t);
    const now = value(scene, theta);
    const label = route.labels[k] ? `: ${route.labels[k]}` : "";
    piece.value = `Piece ${k + 1} of ${route.labels.length}${label}`;
    risk.value = `risk ${now.toFixed(6)}, certified never above ${route.upper.toFixed(6)}`;
    slider.setAttribute("aria-valuetext", `${piece.value}; ${risk.value}`);
    cursor(views[s], scene, t, now);
    units(views[s], scene, route, theta);
  }

  function cursor(view, scene, t, now) {
    const p = data.plot;
    const x = p.left + t * (p.width - p.left - p.right);
    const y = p.height - p.bottom - (now / scene.top) * (p.height - p.top - p.bottom);
    const mark = view.querySelector(".cursor");
    mark.removeAttribute("hidden");
    mark.querySelector("path").setAttribute("d", `M${x} ${p.top}V${p.height - p.bottom}`);
    mark.querySelector("circle").setAttribute("cx", x);
    mark.querySelector("circle").setAttribute("cy", y);
  }

  // Angles moved as little as it takes until neighbours on the circle are `apart` apart, as slider.spread does it.
  function spread(angles, apart) {
    const m = angles.length;
    let order = [...angles.keys()].sort((a, b) => angles[a] - angles[b] || a - b);
    const gaps = order.map((j, k) => (k + 1 < m ? angles[order[k + 1]] : angles[order[0]] + 2 * Math.PI) - angles[j]);
    const cut = gaps.indexOf(Math.max(...gaps)) + 1;
    order = order.slice(cut).concat(order.slice(0, cut));
    const groups = [];
    order.forEach((j, k) => {
      groups.push([angles[j] + (k >= m - cut ? 2 * Math.PI : 0) - apart * k, 1]);
      for (let n = groups.length; n > 1 && groups[n - 1][0] / groups[n - 1][1] < groups[n - 2][0] / groups[n - 2][1]; n = groups.length) {
        const [total, size] = groups.pop();
        groups[n - 2] = [groups[n - 2][0] + total, groups[n - 2][1] + size];
      }
    });
    const placed = [];
    let k = 0;
    for (const [total, size] of groups) for (let i = 0; i < size; i += 1, k += 1) placed[order[k]] = total / size + apart * k;
    return placed;
  }

  function units(view, scene, route, theta) {
    const scale = 100 / route.reach;
    view.querySelector(".ball").setAttribute("r", scale);
    view.querySelectorAll(".sample").forEach((dot, i) => {
      dot.setAttribute("cx", scale * scene.X[i][0]);
      dot.setAttribute("cy", -scale * scene.X[i][1]);
    });
    const rows = [...Array(scene.units).keys()].map((j) => Math.atan2(theta[2 * j + 1], theta[2 * j]));
    const angles = spread(rows, (data.plane.apart * Math.PI) / 180);
    view.querySelectorAll(".unit").forEach((unit, j) => {
      const x = scale * theta[2 * j];
      const y = -scale * theta[2 * j + 1];
      const v = theta[2 * scene.units + j];
      unit.setAttribute("class", `unit ${v === 0 ? "idle" : v > 0 ? "positive" : "negative"}`);
      const [line, tip, text] = unit.children;
      line.setAttribute("x2", x);
      line.setAttribute("y2", y);
      line.setAttribute("stroke-width", 1.2 + 3 * Math.min(Math.abs(v), 2));
      tip.setAttribute("cx", x);
      tip.setAttribute("cy", y);
      text.setAttribute("x", data.plane.rim * Math.cos(angles[j]));
      text.setAttribute("y", 4 - data.plane.rim * Math.sin(angles[j]));
    });
  }

  // A press on the plot moves the slider there.
  for (const plot of document.querySelectorAll(".plot svg")) {
    const move = (event) => {
      const box = plot.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * data.plot.width;
      const t = (x - data.plot.left) / (data.plot.width - data.plot.left - data.plot.right);
      slider.value = Math.round(Math.min(1, Math.max(0, t)) * slider.max);
      draw();
    };
    plot.addEventListener("pointerdown", (event) => { plot.setPointerCapture(event.pointerId); move(event); });
    plot.addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
  }

  for (const radio of radios) {
    radio.hidden = false;
    radio.addEventListener("change", choose);
  }
  slider.addEventListener("input", draw);
  document.getElementById("controls").hidden = false;
  choose();
})();
