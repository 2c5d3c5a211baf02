// An editor on a page: code is typed, run and graded here, by Python in the page.
"use strict";

const SLOW_MS = 8000; // after that a reader is told that it still runs
const MOST_BYTES = 200000; // of a file that is loaded into an editor

// What a reader typed stays in their browser, if the browser lets it.
const kept = {
  get(name) {
    try { return localStorage.getItem(`multilora:${name}`); } catch { return null; }
  },
  set(name, text) {
    try { localStorage.setItem(`multilora:${name}`, text); return true; } catch { return false; }
  },
  remove(name) {
    try { localStorage.removeItem(`multilora:${name}`); } catch { /* nothing was kept */ }
  },
};

class Workbench {
  constructor(box) {
    this.box = box;
    const { call, lab, file, name, starters } = box.dataset;
    Object.assign(this, { callName: call, lab, file, name });
    this.labs = starters?.split(" ") ?? [];
    this.first = box.querySelector("script.first")?.textContent ?? "\"\"";
    this.part = (name) => box.querySelector(`.bench-${name}`);
    this.starter = this.part("code").value;
    this.edit();
    this.listen();
    const why = InPage.canRun();
    box.classList.add(why ? "cannot-run" : "can-run");
    if (why) this.say(`${why} ${this.part("desk") ? "The commands below do the same on a computer." : "JupyterLab can: make lab."}`);
    if (why && this.part("desk")) this.part("desk").open = true;
  }

  edit() {
    const plain = this.part("code");
    const value = kept.get(this.name) ?? this.starter;
    const editor = PrismEditor.createEditor(
      null,
      { language: "python", value, tabSize: 4, insertSpaces: true, wordWrap: true },
      PrismEditor.defaultCommands(), PrismEditor.editHistory()
    );
    editor.textarea.setAttribute("aria-label", plain.getAttribute("aria-label"));
    editor.textarea.setAttribute("aria-describedby", plain.getAttribute("aria-describedby"));
    editor.on("update", (text) => this.keep(text));
    // Tab indents; after Escape it moves on, so that nobody is caught.
    editor.textarea.addEventListener("keydown", (event) => {
      if (event.key === "Escape") PrismEditor.setIgnoreTab(true);
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.go(this.callName);
      }
    }, true);
    editor.textarea.addEventListener("focus", () => PrismEditor.setIgnoreTab(false));
    const isFocused = document.activeElement === plain;
    plain.replaceWith(editor.container);
    if (isFocused) editor.textarea.focus();
    this.editor = editor;
  }

  get source() {
    return this.editor.value;
  }

  set source(text) {
    this.editor.setOptions({ value: text });
    this.keep(text);
  }

  keep(text) {
    if (text === this.starter) return kept.remove(this.name);
    if (kept.set(this.name, text) || this.isWarned) return;
    this.isWarned = true;
    this.say("This browser keeps no text for a page: what you type is not kept when you leave.");
  }

  listen() {
    const on = (name, act) => this.part(name)?.addEventListener("click", act);
    on("grade", () => this.go("grade"));
    on("run", () => this.go("run"));
    on("stop", () => InPage.python().stop());
    on("reset", () => this.reset());
    on("download", () => this.download());
    on("load", () => this.part("file").click());
    this.part("file")?.addEventListener("change", (event) => this.take(event.target));
  }

  async go(call) {
    if (this.isBusy || InPage.canRun()) return;
    this.busy(true);
    this.clear();
    let slow;
    try {
      const found = await InPage.python().call(call, this.arguments(call), {
        onOut: (text) => this.print(text, "out"),
        onError: (text) => this.print(text, "error"),
        onProgress: (at) => this.progress(at),
        onStart: () => {
          this.say("Running");
          slow = setTimeout(() => this.say("Still running. Stop ends it."), SLOW_MS);
        },
      });
      if (call === "grade") this.score(found);
      else this.ended(found.is_ok);
    } catch (error) {
      this.say(error.message);
    } finally {
      clearTimeout(slow);
      this.busy(false);
    }
  }

  arguments(call) {
    if (call === "grade") return { lab: this.lab, source: this.source };
    return { source: this.source, file: this.file, first: JSON.parse(this.first) };
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    this.box.toggleAttribute("data-busy", isBusy);
    for (const name of ["grade", "run"]) {
      // Not disabled: a keyboard's place would be lost.
      this.part(name)?.setAttribute("aria-disabled", isBusy);
    }
    const stop = this.part("stop");
    if (!isBusy && document.activeElement === stop) this.editor.textarea.focus();
    stop.hidden = !isBusy;
    if (!isBusy) this.part("progress").hidden = true;
    // The size is told before the first click only.
    if (isBusy) for (const size of document.querySelectorAll(".bench-size")) size.remove();
  }

  clear() {
    this.part("out").replaceChildren();
    this.part("lines").replaceChildren();
    this.say("Starting");
  }

  say(text) {
    this.part("said").textContent = text;
  }

  progress({ text, share }) {
    InPage.showProgress(this.part("progress"), share);
    this.say(text);
  }

  print(text, kind) {
    const last = this.part("out").lastChild;
    if (last?.className === `is-${kind}`) return last.append(text);
    const piece = document.createElement("span");
    piece.className = `is-${kind}`;
    piece.textContent = text;
    this.part("out").append(piece);
  }

  ended(isOk, said = "Ran to its end.") {
    this.say(isOk ? said : "Ended with an error.");
  }

  score({ lines, score, verdicts }) {
    const rows = lines.map((line, i) => {
      const row = document.createElement("li");
      row.className = `is-${verdicts[i].split(" ")[0]}`;
      row.append(...this.withLines(line));
      return row;
    });
    this.part("lines").replaceChildren(...rows);
    const isSolved = verdicts.every((verdict) => verdict === "pass");
    if (isSolved) kept.set(`solved:${this.lab}`, "yes");
    this.say(`${score}.${isSolved ? ` ${this.solved()}` : ""}`);
  }

  solved() {
    const open = this.labs.filter((lab) => lab !== this.lab && !kept.get(`solved:${lab}`));
    if (!open.length) return `Lab ${this.lab} is solved, and with it all ${this.labs.length} labs.`;
    return `Lab ${this.lab} is solved. Still open: ${open.join(", ")}.`;
  }

  // "line 7 of starter_01.py" becomes a button that goes there.
  withLines(text) {
    return text.split(/(line \d+ of [\w.]+)/).map((piece) => {
      const found = piece.match(/^line (\d+) of (.+)$/);
      if (!found || found[2] !== this.file) return piece;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = piece;
      button.addEventListener("click", () => this.show(Number(found[1])));
      return button;
    });
  }

  show(number) {
    const lines = this.source.split("\n");
    const start = lines.slice(0, number - 1).join("\n").length + (number > 1);
    this.editor.textarea.focus();
    this.editor.textarea.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
    this.editor.textarea.scrollIntoView({ block: "nearest" });
  }

  reset() {
    if (this.source === this.starter) return;
    if (!confirm("Put the starter back? What you typed here is lost.")) return;
    this.source = this.starter;
    this.say("The starter is back.");
  }

  download() {
    InPage.save(this.file, "text/x-python", this.source);
  }

  async take(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    if (file.size > MOST_BYTES) {
      return this.say(`${file.name} has ${file.size.toLocaleString("en")} bytes, but an editor takes at most ${MOST_BYTES.toLocaleString("en")}.`);
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      if (text.includes("\0")) throw new TypeError("a binary file");
      this.source = text;
      this.say(`${file.name} is loaded.`);
    } catch {
      this.say(`${file.name} is no text in UTF-8, so nothing was loaded.`);
    }
  }
}

Workbench.kinds = {}; // by data-kind: what other scripts make of a box

// An editor in a fold is made when the fold is opened first.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".workbench")) {
    const start = () => new (Workbench.kinds[box.dataset.kind] ?? Workbench)(box);
    const fold = box.closest("details.try-it:not([open])");
    if (fold) fold.addEventListener("toggle", start, { once: true });
    else start();
  }
});
