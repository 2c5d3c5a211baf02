// "Plan your case here": files are taken, Python in the page answers, part by part.
"use strict";

class Case {
  constructor(box) {
    this.box = box;
    this.files = new CaseFiles();
    this.form = this.part("form");
    this.part("answer").setAttribute("aria-live", "off"); // its progress is told
    const why = InPage.canRun();
    if (why) {
      this.part("cannot").hidden = false;
      this.part("cannot").textContent = `${why} The commands below give the same answer on a computer.`;
      return;
    }
    this.form.hidden = false;
    this.part("desk").open = false;
    this.listen();
  }

  part(name) {
    return this.box.querySelector(`.case-${name}`);
  }

  listen() {
    const click = (name, act) => this.part(name).addEventListener("click", act);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.plan();
    });
    click("example", () => this.example());
    click("stop", () => InPage.python().stop());
    click("clear", () => this.clear());
    click("text", () => InPage.save("answer.txt", "text/plain", textOf(this.answer)));
    click("json", () => InPage.save("answer.json", "application/json", JSON.stringify(this.answer, null, 1)));
    for (const name of ["config", "adapters", "log"]) {
      this.part(name).addEventListener("change", (event) => this.chosen(name, event.target));
    }
    const drop = this.part("drop");
    for (const kind of ["dragenter", "dragover"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.add("is-over");
      });
    }
    drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => this.dropped(event));
    // A file that misses the box must not replace the page.
    for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
  }

  chosen(name, input) {
    const entries = [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
    input.value = "";
    // What was chosen as one thing is that thing, whatever it is called.
    if (name === "config" && entries.length) this.files.config.set("config.json", entries[0].file);
    else if (name === "log" && entries.length) this.files.log = entries[0].file;
    else if (name === "adapters") return this.taken(entries);
    this.list([]);
  }

  async dropped(event) {
    event.preventDefault();
    this.part("drop").classList.remove("is-over");
    try {
      this.taken(await droppedEntries(event.dataTransfer));
    } catch (error) {
      this.list([error.message]);
    }
  }

  taken(entries) {
    this.list(this.files.take(entries));
  }

  list(said) {
    const rows = this.files.lines.map(({ text, remove }) => {
      const row = made("li", text);
      const button = made("button", "Remove");
      button.type = "button";
      button.setAttribute("aria-label", `Remove ${text}`);
      button.addEventListener("click", () => {
        remove();
        this.list(["Removed."]);
        (this.part("files").querySelector("button") ?? this.part("config")).focus();
      });
      row.append(" ", button);
      return row;
    });
    this.part("files").replaceChildren(...rows);
    this.part("told").textContent = said.join(" ");
  }

  // The form's values under the names of own_case's arguments.
  get options() {
    const found = {};
    for (const field of this.form.elements) {
      if (!field.name || field.value.trim() === "") continue;
      found[field.name] = field.type === "number" ? Number(field.value) : field.value.trim();
    }
    return found;
  }

  example() {
    this.clear();
    this.form.elements.model.value = "Llama-3.1-8B";
    this.plan({ example: true });
  }

  async plan(more = {}) {
    if (this.isBusy) return;
    const files = this.files.paths;
    if (!files.length && !this.options.model && !more.example) {
      return this.say("There is nothing to answer yet: give a file, choose a base, or press Example.");
    }
    this.busy(true);
    this.part("answer").replaceChildren();
    this.part("take").hidden = true;
    let began = performance.now();
    try {
      this.answer = await InPage.python().call("own_case", { ...this.options, ...more }, {
        files,
        onStart: () => (began = performance.now()),
        onBlock: (block) => this.part("answer").append(blockOf(block)),
        onProgress: (at) => this.progress(at),
      });
      this.part("take").hidden = false;
      const seconds = (performance.now() - began) / 1000;
      this.say(`Done in ${seconds.toFixed(1)} s. The answer in ${counted(this.answer.blocks.length, "part")} is below.`);
    } catch (error) {
      this.say(error.isStopped ? "Stopped. Your files are still taken." : error.message.replace(/Your code ended Python.*/, "It was too much for Python in this page, which ended. The commands below have no such limit."));
    } finally {
      this.busy(false);
    }
  }

  busy(isBusy) {
    this.isBusy = isBusy;
    for (const name of ["plan", "example", "clear"]) this.part(name).disabled = isBusy;
    this.part("stop").hidden = !isBusy;
    if (!isBusy) this.part("progress").hidden = true;
    if (isBusy) this.part("plan").querySelector("small")?.remove(); // told once
    // Whoever pressed a button that is gone goes on from the one in its place.
    const wasHere = [document.body, this.part("stop"), this.part("plan"), this.part("example")].includes(document.activeElement);
    if (wasHere) this.part(isBusy ? "stop" : "plan").focus({ preventScroll: true });
  }

  progress({ text, share }) {
    InPage.showProgress(this.part("progress"), share);
    this.say(text);
  }

  say(text) {
    this.part("said").textContent = text;
  }

  clear() {
    this.files.clear();
    this.form.reset();
    this.list([]);
    this.part("answer").replaceChildren();
    this.part("take").hidden = true;
    this.say("");
  }
}

for (const box of document.querySelectorAll(".own-case")) new Case(box);
