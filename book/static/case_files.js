// The files of a reader's case: chosen or dropped, and told apart by their names.
"use strict";

const MOST_FILES = 100000; // of a folder; more is a slip
const OF_AN_ADAPTER = /^(adapter_config\.json|adapter_model\..+|adapters\.safetensors|pytorch_lora_weights\..+)$/;
const OF_A_LOG = /\.(csv|tsv|txt|log|json|jsonl|ndjson|gz)$/i;

// What a reader has given: [{path, blob}] for Python, and lines for the reader.
class CaseFiles {
  constructor() {
    this.clear();
  }

  clear() {
    this.config = new Map(); // config.json, and what may lie beside it
    this.adapters = new Map(); // name of the folder: Map of its files
    this.log = null;
  }

  // entries: [{path, file}]; returns sentences on what was done with them.
  take(entries) {
    const folders = Map.groupBy ? Map.groupBy(entries, (entry) => folderOf(entry.path)) : grouped(entries);
    let rest = [];
    const names = [];
    for (const [folder, own] of folders) {
      if (!own.some(({ file }) => OF_AN_ADAPTER.test(file.name))) {
        rest = rest.concat(own);
        continue;
      }
      const name = folder.split("/").pop() || "adapter";
      names.push(name);
      this.adapters.set(name, new Map(own.map(({ file }) => [file.name, file])));
    }
    const said = names.length ? [`${counted(names.length, "adapter")} taken.`] : [];
    return [...said, ...this.takeOthers(rest)];
  }

  // A config.json and a log; what is neither is left alone.
  takeOthers(entries) {
    const said = [];
    const others = [];
    for (const { path, file } of entries) {
      if (file.name === "config.json") this.config.set("config.json", file);
      else if (file.name === "hf_quant_config.json") this.config.set(file.name, file);
      else others.push({ path, file });
    }
    const depth = (path) => path.split("/").length;
    const logs = others
      .filter(({ path, file }) => depth(path) === 1 || OF_A_LOG.test(file.name))
      .sort((a, b) => depth(a.path) - depth(b.path));
    // Of a whole folder the least deep is the log; tokenizer.json and the like are not.
    const log = logs.find(({ path, file }) => depth(path) === 1 || !/\.json$/i.test(file.name));
    if (log) this.log = log.file;
    const left = others.length - (log ? 1 : 0);
    if (left) said.push(`${counted(left, "other file")} left alone.`);
    return said;
  }

  get paths() {
    const found = [];
    const add = (path, blob) => found.push({ path, blob });
    for (const [name, file] of this.config) add(`config/${name}`, file);
    for (const [name, files] of this.adapters) {
      for (const [file, blob] of files) add(`adapters/${name}/${file}`, blob);
    }
    if (this.log) add(`log/${this.log.name}`, this.log);
    return found;
  }

  // [{text, remove}] for the list that the reader sees.
  get lines() {
    const found = [];
    const config = this.config.get("config.json");
    if (config) found.push({ text: `config.json, ${sizeOf(config.size)}`, remove: () => this.config.clear() });
    const names = [...this.adapters.keys()];
    if (names.length > 8) {
      found.push({ text: `${counted(names.length, "adapter")}: ${names.slice(0, 3).map(short).join(", ")}, …`, remove: () => this.adapters.clear() });
    } else {
      for (const name of names) found.push({ text: `adapter ${short(name)}`, remove: () => this.adapters.delete(name) });
    }
    if (this.log) found.push({ text: `log ${short(this.log.name)}, ${sizeOf(this.log.size)}`, remove: () => (this.log = null) });
    return found;
  }
}

function folderOf(path) {
  return path.split("/").slice(0, -1).join("/");
}

function grouped(entries) {
  const found = new Map();
  for (const entry of entries) {
    const folder = folderOf(entry.path);
    if (!found.has(folder)) found.set(folder, []);
    found.get(folder).push(entry);
  }
  return found;
}

function counted(num, noun) {
  return `${num.toLocaleString("en")} ${noun}${num === 1 ? "" : "s"}`;
}

function short(name) {
  return name.length > 40 ? `${name.slice(0, 39)}…` : name;
}

function sizeOf(bytes) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

// All files of what was dropped, those within folders too.
async function droppedEntries(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!roots.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const found = [];
  const waiting = [...roots];
  while (waiting.length) {
    const entry = waiting.pop();
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    } else {
      waiting.push(...(await inside(entry)));
    }
    if (found.length + waiting.length > MOST_FILES) {
      throw new Error(`The folder holds more than ${counted(MOST_FILES, "file")}: drop the adapters' own folder.`);
    }
  }
  return found;
}

async function inside(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}
