"use strict";
(() => {
  // Log text is put into the page with textContent only; nothing here builds markup from data.
  const data = JSON.parse(document.getElementById("data").textContent);
  const unpack = (value, packed) => {
    const { texts, shapes } = packed;
    if (!Array.isArray(value)) return value;
    if (typeof value[0] === "number") return value.length > 1 ? texts[value[0]] + value[1] : texts[value[0]];
    if (value[0] === "t") return value.slice(1).map((place) => texts[place]);
    if (value[0] === "l") return value.slice(1).map((item) => unpack(item, packed));
    return Object.fromEntries(shapes[value[1]].map((key, place) => [texts[key], unpack(value[place + 2], packed)]));
  };
  // How to read a row of packed data, by the name of the column.
  const reader = (packed) => {
    const at = Object.fromEntries(packed.columns.map((name, place) => [name, place]));
    return (row, name) => unpack(row[at[name]], packed);
  };
  const get = reader(data.destinations);
  const odd = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
  const clean = (text) => String(text).replace(odd, (letter) => "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0"));
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = clean(text);
    if (className) made.className = className;
    return made;
  };
  const number = new Intl.NumberFormat("en-US").format;
  const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const place = (row) => {
    const address = get(row, "destination_ip");
    const name = get(row, "host") || (address && address.includes(":") ? `[${address}]` : address) || "unknown";
    const port = get(row, "destination_port");
    return port === null ? name : `${name}:${port}`;
  };

  // Several words in one cell, and apart again.
  const joined = (words) => [...new Set(words)].join(", ");
  const parted = (cell) => cell ? cell.split(", ") : [];

  const views = [
    ["destination", place, false],
    ["namespace", (row) => get(row, "source_namespace") ?? "–", false],
    ["workload", (row) => get(row, "source_workload") ?? "–", false],
    ["protocol", (row) => get(row, "application_protocol") ?? "–", false],
    ["entries", (row) => get(row, "entries"), true],
    ["class", (row) => joined(Object.keys(get(row, "by_class"))), false],
    ["verdict", (row) => get(row, "verdict"), false],
    ["reason", (row) => get(row, "reasons")[0].code, false],
    ["cause", (row) => joined(get(row, "causes").map((cause) => cause.code)), false],
  ];
  // Cells and what is searched are read when they are first asked for: opening the page should not wait for all of them.
  const items = data.destinations.rows.map((row) => ({ row, cells: [] }));
  const cellOf = (item, column) => item.cells[column] ??= views[column][1](item.row);
  const wordsOf = (item) => item.words ??=
    [
      ...views.map((_, column) => cellOf(item, column)),
      ...get(item.row, "reasons").map((reason) => reason.text),
      ...get(item.row, "causes").flatMap((cause) => [cause.because, cause.repair, cause.place]),
    ].join("\n").toLowerCase();

  const table = document.getElementById("destinations-table");
  const head = table.tHead.rows[0];
  const body = table.tBodies[0];
  const size = 50;
  let sorted = 4, descending = true, page = 0, found = items;

  const controls = { verdict: 6, namespace: 1, class: 5, protocol: 3, cause: 8 };
  const many = [5, 8];
  const has = (item, column, value) =>
    many.includes(column) ? parted(cellOf(item, column)).includes(value) : cellOf(item, column) === value;
  const fill = (id, values) => {
    const select = document.getElementById(id);
    for (const value of [...new Set(values)].sort()) {
      const option = element("option", value);
      option.value = value;
      select.append(option);
    }
  };
  for (const [name, column] of Object.entries(controls)) {
    const cells = [...new Set(items.map((item) => cellOf(item, column)))];
    fill(`by-${name}`, many.includes(column) ? cells.flatMap(parted) : cells);
  }

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
    for (const cause of get(row, "causes")) {
      add(cause.code, cause.because);
      add("smallest change", cause.repair);
      add("where", cause.place);
      if (cause.proven !== null) add("replayed", cause.proven ? "it lets all of this out" : "it does not let all of this out");
      add("proposed in", cause.proposal);
    }
    add("results", Object.entries(get(row, "by_result")).map(([key, count]) => `${key} ${number(count)}`).join(", "));
    add("mechanisms", Object.entries(get(row, "by_mechanism")).map(([key, count]) => `${key} ${number(count)}`).join(", "));
    add("seen", `${get(row, "first_seen") ?? "?"} to ${get(row, "last_seen") ?? "?"}, ${counted(get(row, "days_seen"), "day")}, ${counted(get(row, "pods_seen"), "pod")}`);
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
      views.forEach(([name, , numeric], column) => {
        const value = cellOf(item, column);
        const cell = element("td", null, numeric ? "number" : name);
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
    found = items.filter((item) =>
      words.every((word) => wordsOf(item).includes(word)) &&
      chosen.every(([value, column]) => !value || has(item, column, value)));
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

  const copyButton = (label, text) => {
    const button = element("button", "Copy", "copy");
    button.type = "button";
    button.setAttribute("aria-label", label);
    button.addEventListener("click", async () => {
      await copy(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    return button;
  };
  for (const code of document.querySelectorAll(".listing code"))
    code.parentElement.before(copyButton("Copy this text", code.textContent));

  const listing = () => {
    const lines = element("pre");
    lines.tabIndex = 0;
    lines.append(element("code"));
    return lines;
  };
  const yamlOf = (text) => {
    const made = listing();
    made.firstChild.textContent = text;
    return made;
  };
  const signs = { "+": "added", "-": "removed", "@": "place" };
  const diffOf = (text) => {
    const made = listing();
    text.trimEnd().split("\n").forEach((line, place) => {
      const sign = place < 2 ? "place" : signs[line[0]];
      made.firstChild.append(...(sign ? [element("span", line, sign)] : [clean(line)]), "\n");
    });
    return made;
  };

  const manifests = data.manifests;
  const held = reader(manifests);
  const article = (row) => {
    const read = (name) => held(row, name);
    const text = read("yaml").join("\n");
    const patch = read("patch");
    const diff = read("diff").join("\n");
    const made = element("article", null, "manifest");
    const top = element("header");
    top.append(element("h3", read("hosts")));
    if (read("action") !== "create") top.append(element("span", patch ? "edits what exists" : "replaces what exists", "badge"));
    if (read("needs_review")) top.append(element("span", "check before applying", "badge review"));
    top.append(copyButton(`Copy the ${patch ? "patch" : "manifest"} for ${clean(read("hosts"))}`, patch ? diff : text));
    made.append(top, element("p", read("reason")));
    const file = element("p", read("file"), "file");
    if (patch) {
      const whole = element("details");
      whole.append(element("summary", "The whole object after the edit"), yamlOf(text), file);
      made.append(diffOf(diff), element("p", `${patch}, at ${read("edits")}`, "file"), whole);
    } else made.append(yamlOf(text), file);
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

  const paper = 680;  // pixels that A4 and Letter have between their margins
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme === "dark" ||
    (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const paint = (size) => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-pressed", String(isDark()));
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    for (const [id, figure] of Object.entries(data.figures)) {
      const axis = { gridcolor: line, zerolinecolor: line, linecolor: line };
      const layout = { ...figure.layout, ...size, font: { color: ink, size: 12 }, xaxis: { ...figure.layout.xaxis, ...axis }, yaxis: { ...figure.layout.yaxis, ...axis } };
      window.Plotly?.react(id, figure.data, layout, { displayModeBar: false, responsive: true });
    }
  };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; paint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint());
  // Figures come last: plotly's script stands below this one, so that the page is there before it is read.
  addEventListener("load", () => setTimeout(paint));
  addEventListener("beforeprint", () => paint({ width: paper }));
  addEventListener("afterprint", () => paint());
})();
