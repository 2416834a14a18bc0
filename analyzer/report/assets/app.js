"use strict";
(() => {
  // Log text is put into the page with textContent only; nothing here builds markup from data.
  const data = JSON.parse(document.getElementById("data").textContent);
  const unpack = (value, texts) => {
    if (!Array.isArray(value)) return value;
    if (typeof value[0] === "number") return value.length > 1 ? texts[value[0]] + value[1] : texts[value[0]];
    if (value[0] === "t") return value.slice(1).map((place) => texts[place]);
    const items = value.slice(1).map((item) => unpack(item, texts));
    if (value[0] === "l") return items;
    const pairs = [];
    for (let place = 0; place < items.length; place += 2) pairs.push([items[place], items[place + 1]]);
    return Object.fromEntries(pairs);
  };
  const { columns, texts, rows } = data.destinations;
  const at = Object.fromEntries(columns.map((name, place) => [name, place]));
  const get = (row, name) => unpack(row[at[name]], texts);
  const odd = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
  const clean = (text) => String(text).replace(odd, (letter) => "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0"));
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = clean(text);
    if (className) made.className = className;
    return made;
  };
  const number = new Intl.NumberFormat("en-US").format;
  const place = (row) => {
    const address = get(row, "destination_ip");
    const name = get(row, "host") || (address && address.includes(":") ? `[${address}]` : address) || "unknown";
    const port = get(row, "destination_port");
    return port === null ? name : `${name}:${port}`;
  };

  const views = [
    ["destination", place, false],
    ["namespace", (row) => get(row, "source_namespace") ?? "–", false],
    ["workload", (row) => get(row, "source_workload") ?? "–", false],
    ["protocol", (row) => get(row, "application_protocol") ?? "–", false],
    ["entries", (row) => get(row, "entries"), true],
    ["class", (row) => Object.keys(get(row, "by_class")).join(", "), false],
    ["verdict", (row) => get(row, "verdict"), false],
    ["reason", (row) => get(row, "reasons")[0].code, false],
  ];
  // Cells and what is searched are read when they are first asked for: opening the page should not wait for all of them.
  const items = rows.map((row) => ({ row, cells: [] }));
  const cellOf = (item, column) => item.cells[column] ??= views[column][1](item.row);
  const wordsOf = (item) => item.words ??=
    [...views.map((_, column) => cellOf(item, column)), ...get(item.row, "reasons").map((reason) => reason.text)]
      .join("\n").toLowerCase();

  const table = document.getElementById("destinations-table");
  const head = table.tHead.rows[0];
  const body = table.tBodies[0];
  const size = 50;
  let sorted = 4, descending = true, page = 0, found = items;

  const controls = { verdict: 6, namespace: 1, protocol: 3 };
  const fill = (id, values) => {
    const select = document.getElementById(id);
    for (const value of [...new Set(values)].sort()) {
      const option = element("option", value);
      option.value = value;
      select.append(option);
    }
  };
  for (const [name, column] of Object.entries(controls)) fill(`by-${name}`, items.map((item) => cellOf(item, column)));
  fill("by-class", [...new Set(items.map((item) => cellOf(item, 5)))].flatMap((classes) => classes.split(", ")));

  views.forEach(([name, , numeric], column) => {
    const cell = element("th", null, numeric ? "number" : "");
    cell.scope = "col";
    const button = element("button", name);
    button.type = "button";
    button.addEventListener("click", () => {
      descending = column === sorted ? !descending : numeric;
      sorted = column;
      refresh();
    });
    cell.append(button);
    head.append(cell);
  });

  const detail = (row) => {
    const line = element("tr", null, "detail");
    const cell = element("td");
    cell.colSpan = views.length;
    const list = element("dl");
    const add = (name, value) => {
      if (value === null || value === "" || value === undefined) return;
      list.append(element("dt", name), element("dd", value));
    };
    for (const reason of get(row, "reasons")) add(reason.code, reason.text);
    add("results", Object.entries(get(row, "by_result")).map(([key, count]) => `${key} ${number(count)}`).join(", "));
    add("mechanisms", Object.entries(get(row, "by_mechanism")).map(([key, count]) => `${key} ${number(count)}`).join(", "));
    add("seen", `${get(row, "first_seen") ?? "?"} to ${get(row, "last_seen") ?? "?"}, ${get(row, "days_seen")} days, ${get(row, "pods_seen")} pods`);
    add("bytes", `${number(get(row, "bytes_received"))} up, ${number(get(row, "bytes_sent"))} down`);
    add("addresses", get(row, "addresses").join(", "));
    add("user agents", get(row, "user_agents").join(" · "));
    add("examples", get(row, "examples").join(" · "));
    cell.append(list);
    line.append(cell);
    return line;
  };

  const draw = () => {
    const lines = found.slice(page * size, page * size + size).map((item) => {
      const line = element("tr", null, "row");
      views.forEach(([, , numeric], column) => {
        const value = cellOf(item, column);
        const cell = element("td", null, numeric ? "number" : "");
        if (column === 0) {
          const button = element("button", value, "open");
          button.type = "button";
          button.setAttribute("aria-expanded", "false");
          cell.append(button);
        } else if (column === 6) cell.append(element("span", value, `badge ${value}`));
        else cell.textContent = numeric ? number(value) : clean(value);
        line.append(cell);
      });
      line.addEventListener("click", () => {
        const button = line.querySelector(".open");
        const open = button.getAttribute("aria-expanded") === "true";
        if (open) line.nextElementSibling.remove();
        else line.after(detail(item.row));
        button.setAttribute("aria-expanded", String(!open));
      });
      return line;
    });
    body.replaceChildren(...lines);
    const pages = Math.max(1, Math.ceil(found.length / size));
    document.getElementById("page").textContent = `${page + 1} of ${pages}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page + 1 >= pages;
    document.getElementById("shown").textContent = `${number(found.length)} of ${number(items.length)} destinations`;
    [...head.cells].forEach((cell, column) =>
      cell.setAttribute("aria-sort", column === sorted ? (descending ? "descending" : "ascending") : "none"));
  };

  const refresh = () => {
    const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(controls).map(([name, column]) => [document.getElementById(`by-${name}`).value, column]);
    const egressClass = document.getElementById("by-class").value;
    found = items.filter((item) =>
      words.every((word) => wordsOf(item).includes(word)) &&
      chosen.every(([value, column]) => !value || cellOf(item, column) === value) &&
      (!egressClass || cellOf(item, 5).split(", ").includes(egressClass)));
    const order = descending ? -1 : 1;
    found.sort((a, b) => {
      const [left, right] = [cellOf(a, sorted), cellOf(b, sorted)];
      return (left < right ? -1 : left > right ? 1 : 0) * order;
    });
    page = 0;
    draw();
  };
  // A search box also tells of a change when it is left: drawing anew then would swallow the click that left it.
  document.getElementById("search").addEventListener("input", refresh);
  for (const select of document.querySelectorAll("#filters select")) select.addEventListener("change", refresh);
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("previous").addEventListener("click", () => { page -= 1; draw(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; draw(); });
  refresh();

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages opened from a file may not use the clipboard; a selection still may.
      const area = element("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  const manifests = data.manifests;
  const has = Object.fromEntries(manifests.columns.map((name, place) => [name, place]));
  const article = (row) => {
    const read = (name) => unpack(row[has[name]], manifests.texts);
    const text = read("yaml").join("\n");
    const made = element("article", null, "manifest");
    const top = element("header");
    const button = element("button", "Copy", "copy");
    button.type = "button";
    button.setAttribute("aria-label", `Copy the manifest for ${clean(read("hosts"))}`);
    button.addEventListener("click", async () => {
      await copy(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    top.append(element("h3", read("hosts")));
    if (read("needs_review")) top.append(element("span", "check before applying", "badge review"));
    top.append(button);
    const lines = element("pre");
    lines.tabIndex = 0;
    const code = element("code");
    code.textContent = text;
    lines.append(code);
    const count = `${number(read("entries"))} entries by ${read("workloads")}. ${read("reason")}`;
    made.append(top, element("p", count), lines, element("p", read("file"), "file"));
    return made;
  };
  const list = document.getElementById("manifests");
  const more = document.getElementById("more-manifests");
  const step = 20;
  const show = () => {
    const next = manifests.rows.slice(list.childElementCount, list.childElementCount + step);
    list.append(...next.map(article));
    const left = manifests.rows.length - list.childElementCount;
    document.getElementById("manifests-shown").textContent = `${number(list.childElementCount)} of ${number(manifests.rows.length)} manifests`;
    more.hidden = left === 0;
  };
  if (list) {
    more.addEventListener("click", show);
    show();
  }

  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme === "dark" ||
    (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const paint = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-pressed", String(isDark()));
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    for (const [id, figure] of Object.entries(data.figures)) {
      const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
      const layout = { ...figure.layout, font: { color: ink, size: 12 }, xaxis: { ...figure.layout.xaxis, ...axis }, yaxis: { ...figure.layout.yaxis, ...axis } };
      window.Plotly?.react(id, figure.data, layout, { displayModeBar: false, responsive: true });
    }
  };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; paint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  // Figures come last: plotly's script stands below this one, so that the page is there before it is read.
  addEventListener("load", () => setTimeout(paint));
})();
