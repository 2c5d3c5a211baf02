// Python for a page: booted at the first call, ended by stop(), never online.
"use strict";

const InPage = (() => {
  // What the book's build has packed, and where: see multilora.book.inpage.
  const packed = JSON.parse(document.getElementById("inpage-assets").textContent);
  const waiting = {}; // name of an asset: what to do with its text
  let loading; // the promise of Python's parts, unpacked
  let told = () => {}; // how far loading is: the last one who asked hears it

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
    const file = packed.files[name];
    const script = document.createElement("script");
    return new Promise((resolve, reject) => {
      waiting[name] = resolve;
      script.src = packed.folder + file;
      script.onerror = () => reject(new Error(`${file} is missing: is the whole folder of the book here?`));
      script.onload = () => waiting[name] && reject(damaged(file));
      document.head.append(script);
    }).finally(() => {
      script.remove();
      delete waiting[name];
    });
  }

  function damaged(file) {
    return new Error(`${file} is damaged: it is not what the book's build wrote.`);
  }

  function bytes(text) {
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found;
  }

  async function unpacked(name) {
    const text = await load(name);
    try {
      const stream = new Blob([bytes(text)]).stream();
      return await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    } catch {
      throw damaged(packed.files[name]);
    }
  }

  async function loaded() {
    const found = {};
    const names = Object.keys(packed.files);
    for (const [place, name] of names.entries()) {
      told({ text: `Loading Python (${SIZE}, once)`, share: place / (names.length + 2) });
      found[name] = await unpacked(name);
    }
    const text = (name) => new TextDecoder().decode(found[name]);
    // One script, so that the page's policy need not allow a worker any other.
    const script = new Blob([text("loader"), "\n", text("asm"), "\n(() => {", text("worker"), "})();"],
      { type: "text/javascript" });
    return {
      script, module: await WebAssembly.compile(found.wasm), lock: text("lock"),
      stdlib: found.stdlib, library: found.library, wheels: [found.numpy],
    };
  }

  // What failed is tried again at the next click.
  function parts(onProgress) {
    told = onProgress;
    return (loading ??= loaded().catch((error) => { loading = null; throw error; }));
  }

  class Python {
    constructor() {
      this.calls = new Map(); // by id: the promise's ends, and who listens
      this.next = 1;
      this.versions = null;
      this.refusals = new Set(); // of what has not begun: stop() calls them
    }

    // Runs one call after the other: the worker has one Python.
    call(name, args, { files, onOut, onError, onBlock, onProgress, onStart } = {}) {
      const heard = {
        __proto__: null,
        out: onOut, error: onError ?? onOut, block: onBlock, progress: onProgress, start: onStart,
      };
      const asked = this.unlessStopped(this.queue ?? Promise.resolve())
        .then(() => this.ask({ name, args, files }, heard));
      this.queue = asked.catch(() => {});
      return asked;
    }

    // What a promise gives, or a refusal as soon as stop() is called.
    unlessStopped(promise) {
      let refuse;
      const refused = new Promise((_, reject) => {
        refuse = () => reject(stopped());
        this.refusals.add(refuse);
      });
      return Promise.race([promise, refused]).finally(() => this.refusals.delete(refuse));
    }

    async ask(message, heard) {
      if (!this.worker) await this.boot(heard.progress ?? (() => {}));
      heard.start?.();
      const id = this.next++;
      return new Promise((resolve, reject) => {
        this.calls.set(id, { resolve, reject, heard });
        this.worker.postMessage({ id, ...message });
      });
    }

    async boot(onProgress) {
      const { script, ...boot } = await this.unlessStopped(parts(onProgress));
      onProgress({ text: "Starting Python", share: 0.8 });
      const url = URL.createObjectURL(script);
      const worker = new Worker(url);
      try {
        this.versions = await this.unlessStopped(started(worker, boot));
      } catch (error) {
        worker.terminate();
        throw error;
      } finally {
        URL.revokeObjectURL(url);
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

    // Ends Python at once; all calls are refused, the next one boots anew.
    // What is being loaded goes on being loaded, and nobody hears of it.
    stop() {
      told = () => {};
      for (const refuse of this.refusals) refuse();
      this.end(stopped());
    }

    end(error, ...more) {
      this.worker?.terminate();
      this.worker = null;
      for (const call of [...more, ...this.calls.values()]) call.reject(error);
      this.calls.clear();
    }
  }

  function started(worker, boot) {
    return new Promise((resolve, reject) => {
      const failed = (text) => reject(new Error(`Python did not start: ${text}`));
      worker.onerror = (event) => failed(event.message || "the browser refused its worker");
      worker.onmessage = ({ data }) => {
        if (data.failed) failed(data.failed);
        else if (data.ready) resolve(data.ready);
      };
      worker.postMessage({ boot });
    });
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

  // Lets a reader keep a text as a file of theirs.
  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // How far something is, as a bar: a share of null moves without an end.
  function showProgress(bar, share) {
    bar.hidden = false;
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  }

  let only; // one Python a page
  return { SIZE, canRun, take, save, showProgress, python: () => (only ??= new Python()) };
})();
