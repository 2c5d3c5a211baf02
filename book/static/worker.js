// Python in a worker, in one script behind Pyodide's two. It is booted from
// memory, and asks nobody for anything.
// in:  {boot: {module, lock, stdlib, library, wheels}} {id, name, args, files}
// out: {ready: versions} {id, kind, value} {id, done} {id, failed, fatal}
"use strict";

const HOME = "https://python.invalid/"; // never asked: see answered()
const MOST_PAGES = 16384; // of 64 KiB: 1 GiB, so that a page never takes more
const MOST_CHARACTERS = 20000; // of output in a call: more would freeze the page
const NETWORK = [
  "fetch", "XMLHttpRequest", "WebSocket", "WebTransport", "EventSource",
  "importScripts", "indexedDB", "caches", "BroadcastChannel", "Worker",
];
let python, post, call, room, current;
const answer = self.postMessage.bind(self);

self.onmessage = async ({ data }) => {
  try {
    if (data.boot) answer({ ready: await boot(data.boot) });
    else answer({ id: data.id, done: JSON.parse(run(data)) });
  } catch (error) {
    // An error of Python's own is caught in Python: this one ended it.
    answer({ id: data.id, failed: String(error?.message ?? error), fatal: true });
  }
};

function run({ id, name, args, files }) {
  current = id;
  room = MOST_CHARACTERS;
  post.attach(heard); // whatever the last call did to it
  if (files) mount(files);
  return call(name, JSON.stringify(args));
}

// Files are read where they lie, when they are read.
function mount(files) {
  const { FS } = python;
  if (FS.analyzePath("/case").exists) FS.unmount("/case");
  else FS.mkdir("/case");
  const blobs = files.map(({ path, blob }) => ({ name: path, data: blob }));
  FS.mount(FS.filesystems.WORKERFS, { blobs }, "/case");
}

function heard(kind, text) {
  if (kind !== "out" && kind !== "error") {
    return answer({ id: current, kind, value: JSON.parse(text) });
  }
  if (room <= 0) return;
  const value = JSON.parse(text).slice(0, room);
  room -= value.length;
  answer({ id: current, kind, value });
  if (room <= 0) {
    answer({ id: current, kind: "error", value: "\n… more is not shown: the page shows 20,000 characters.\n" });
  }
}

async function boot(parts) {
  limitMemory();
  const { module } = parts;
  WebAssembly.instantiateStreaming = async (response, imports) => ({
    module, instance: await WebAssembly.instantiate(module, imports),
  });
  self.fetch = answered({
    "pyodide.asm.wasm": ["", "application/wasm"],
    "python_stdlib.zip": [parts.stdlib, "application/zip"],
    "pyodide-lock.json": [parts.lock, "application/json"],
  });
  python = await loadPyodide({ indexURL: HOME, stdin: () => null });
  closeNetwork();
  python.FS.mkdirTree("/library");
  python.unpackArchive(parts.library, "zip", { extractDir: "/library" });
  for (const wheel of parts.wheels) python.unpackArchive(wheel, "wheel");
  const path = "['/library/multilora/inpage/stand_ins', '/library']";
  python.runPython(`import sys; sys.path[:0] = ${path}; sys.dont_write_bytecode = True`);
  return open();
}

function open() {
  const calls = python.pyimport("multilora.inpage.calls");
  post = python.pyimport("multilora.inpage.post");
  python.pyimport("multilora.inpage.closed").close_doors();
  call = calls.call;
  return calls.versions();
}

// Pyodide asks for three files; nothing else has an answer.
function answered(bodies) {
  return async (url) => {
    const found = bodies[String(url).split("/").pop()];
    if (!found) throw new Error(`nothing is fetched from a page: ${url}`);
    return new Response(found[0], { headers: { "Content-Type": found[1] } });
  };
}

// Code that eats memory gets Python's MemoryError, not the whole machine's.
function limitMemory() {
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = function (limits) {
    return new Memory({ ...limits, maximum: Math.min(limits.maximum ?? MOST_PAGES, MOST_PAGES) });
  };
}

function closeNetwork() {
  for (const name of NETWORK) {
    for (let owner = self; owner; owner = Object.getPrototypeOf(owner)) delete owner[name];
    self[name] = undefined;
  }
}
