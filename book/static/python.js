// Python for a page: booted at the first call, ended by stop(), never online.
"use strict";

const InPage = (() => {
  // What the book's build has packed, and where: see multilora.book.inpage.
  const packed = JSON.parse(document.getElementById("inpage-assets").textContent);
  const waiting = {}; // name of an asset: what to do with its text
  let kept; // the parts of Python, unpacked, and its compiled module

  const SIZE = packed.size;

  function canRun() {
    if (typeof WebAssembly !== "object") return "This browser has no WebAssembly, so Python cannot run in it.";
    if (typeof DecompressionStream !== "function") return "This browser is too old to run Python in a page (it has no DecompressionStream).";
    if (typeof Worker !== "function") return "This browser has no workers, so Python cannot run in the page.";
    return null;
  }

  // Called by each packed script.
  function take(name, text) {
    waiting[name]?.(text);
    delete waiting[name];
  }

  function load(name) {
    return new Promise((resolve, reject) => {
      waiting[name] = resolve;
      const script = document.createElement("script");
      script.src = packed.folder + packed.files[name];
      script.onerror = () => reject(new Error(`${packed.files[name]} is missing: is the whole folder of the book here?`));
      script.onload = () => script.remove();
      document.head.append(script);
    });
  }

  function bytes(text) {
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found;
  }

  async function unpacked(name) {
    const stream = new Blob([bytes(await load(name))]).stream();
    return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  async function parts(onProgress) {
    if (kept) return kept;
    const found = {};
    const names = Object.keys(packed.files);
    for (const [place, name] of names.entries()) {
      onProgress({ text: `Loading Python (${SIZE}, once)`, share: place / (names.length + 2) });
      found[name] = await unpacked(name);
    }
    const text = (name) => new TextDecoder().decode(found[name]);
    return (kept = {
      asm: text("asm"), loader: text("loader"), lock: text("lock"), worker: text("worker"),
      stdlib: found.stdlib, wasm: found.wasm, library: found.library, wheels: [found.numpy],
    });
  }

  class Python {
    constructor() {
      this.calls = new Map(); // by id: the promise's ends, and who listens
      this.next = 1;
      this.versions = null;
    }

    // Runs one call after the other: the worker has one Python.
    call(name, args, { files, onOut, onError, onBlock, onProgress, onStart } = {}) {
      const heard = { out: onOut, error: onError ?? onOut, block: onBlock, progress: onProgress, start: onStart };
      const asked = (this.queue ?? Promise.resolve()).then(() => this.ask({ name, args, files }, heard));
      this.queue = asked.catch(() => {});
      return asked;
    }

    async ask(message, heard) {
      await this.boot(heard.progress ?? (() => {}));
      heard.start?.();
      const id = this.next++;
      return new Promise((resolve, reject) => {
        this.calls.set(id, { resolve, reject, heard });
        this.worker.postMessage({ id, ...message });
      });
    }

    async boot(onProgress) {
      if (this.worker) return;
      const run = (this.run = {}); // stop() makes it another one
      const { worker: code, wasm, module, ...rest } = await parts(onProgress);
      onProgress({ text: "Starting Python", share: 0.8 });
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      const worker = new Worker(url);
      this.starting = worker;
      try {
        await new Promise((resolve, reject) => {
          this.refuse = reject;
          if (this.run !== run) reject(stopped());
          worker.onerror = (event) => reject(new Error(`Python did not start: ${event.message || "the browser refused its worker"}`));
          worker.onmessage = ({ data }) => {
            if (data.module) kept = { ...kept, module: data.module };
            else if (data.failed) reject(new Error(`Python did not start: ${data.failed}`));
            else if (data.ready) resolve((this.versions = data.ready));
          };
          worker.postMessage({ boot: { ...rest, ...(module ? { module } : { wasm }) } });
        });
      } catch (error) {
        worker.terminate();
        throw error;
      } finally {
        URL.revokeObjectURL(url);
        this.starting = null;
      }
      worker.onmessage = ({ data }) => this.heard(data);
      worker.onerror = () => this.end(new Error(ENDED));
      this.worker = worker;
    }

    heard({ id, kind, value, done, failed }) {
      const call = this.calls.get(id);
      if (!call) return;
      if (kind) return call.heard[kind]?.(value);
      this.calls.delete(id);
      if (failed !== undefined) return this.end(new Error(reasonOf(failed)), call);
      if (done.refused !== undefined) return call.reject(new Error(done.refused));
      call.resolve(done.value);
    }

    // Ends Python at once; what it was doing is refused, the next call boots anew.
    stop() {
      this.run = null;
      this.refuse?.(stopped());
      this.starting?.terminate();
      this.end(stopped());
    }

    end(error, ...more) {
      this.worker?.terminate();
      this.worker = null;
      for (const call of [...more, ...this.calls.values()]) call.reject(error);
      this.calls.clear();
    }
  }

  const ENDED = "Your code ended Python itself. It starts anew at the next click; what you typed is kept.";

  function reasonOf(text) {
    if (/call stack|recursion/i.test(text)) return `The recursion was too deep for the browser. ${ENDED}`;
    if (/memory/i.test(text)) return `The page's memory is used up (1 GiB). ${ENDED}`;
    return ENDED;
  }

  function stopped() {
    return Object.assign(new Error("Stopped. What you typed is kept."), { isStopped: true });
  }

  let only; // one Python a page
  return { SIZE, canRun, take, python: () => (only ??= new Python()) };
})();
