// The parts of an answer as elements of the page: text stays text.
"use strict";

const SVG_TAGS = new Set(["svg", "title", "rect", "line", "circle", "path", "polyline", "text"]);
const SVG_ATTRIBUTES = new Set([
  "xmlns", "role", "viewBox", "aria-label", "class", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r",
  "d", "points", "width", "height", "font-size", "text-anchor",
]);

function made(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// A picture, if it holds nothing but shapes and letters; else null.
function pictureOf(text) {
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const isPlain = [svg, ...svg.querySelectorAll("*")].every(
    (element) =>
      element.namespaceURI === "http://www.w3.org/2000/svg" &&
      SVG_TAGS.has(element.localName) &&
      [...element.attributes].every(({ name }) => SVG_ATTRIBUTES.has(name))
  );
  return isPlain && svg.localName === "svg" ? document.importNode(svg, true) : null;
}

function tableOf({ head, rows }) {
  const table = made("table", undefined, head.length > 2 ? "case-cards" : "");
  const top = table.createTHead().insertRow();
  for (const name of head) {
    const cell = made(name ? "th" : "td", name);
    if (name) cell.scope = "col";
    top.append(cell);
  }
  const body = table.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    cells.forEach((text, at) => {
      const cell = made(at ? "td" : "th", text);
      if (!at) cell.scope = "row";
      if (head[at]) cell.dataset.label = head[at];
      if (!text) cell.className = "is-empty";
      row.append(cell);
    });
  }
  return table;
}

function blockOf({ title, text, table, svg, code }) {
  const section = made("section", undefined, "case-block");
  section.append(made("h3", title));
  if (text.length) section.append(made("p", text[0], "case-first"));
  const picture = svg && pictureOf(svg);
  if (picture) section.append(picture);
  if (code) {
    const pre = made("pre");
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", "vllm serve");
    pre.append(made("code", code));
    section.append(pre);
  }
  if (text.length > 1) {
    const notes = made("ul");
    for (const sentence of text.slice(1)) notes.append(made("li", sentence));
    section.append(notes);
  }
  if (table && table.rows.length) section.append(tableOf(table));
  return section;
}

function textOf({ blocks, command }) {
  const lines = [];
  for (const { title, text, table, code } of blocks) {
    lines.push(title, "=".repeat(title.length), ...text);
    if (code) lines.push("", code);
    if (table) lines.push("", ...[table.head, ...table.rows].map((row) => row.join("\t")));
    lines.push("");
  }
  return [...lines, `In a shell: ${command}`, ""].join("\n");
}
