// Workbenches of a notebook's cells: exercises, and a count of the right ones.
"use strict";

// An exercise: the one line of its check is the result, the rest is output.
class Exercise extends Workbench {
  clear() {
    super.clear();
    this.line = null;
    this.part("said").className = "bench-said";
  }

  print(text, kind) {
    if (kind !== "out") return super.print(text, kind);
    const lines = text.split(/(?<=\n)/);
    const rest = lines.filter((line) => !this.isResult(line));
    this.line = lines.filter((line) => this.isResult(line)).pop() ?? this.line;
    if (rest.length) super.print(rest.join(""), kind);
  }

  isResult(line) {
    return /^[✓·✗] /.test(line) && line.startsWith(`${this.box.dataset.title}: `, 2);
  }

  ended(isOk) {
    if (!this.line) {
      return super.ended(isOk, "Ran to its end, but check_exercise was not called.");
    }
    const kind = { "✓": "is-pass", "✗": "is-wrong" }[this.line[0]];
    if (kind) this.part("said").classList.add(kind);
    this.say(this.line.trim());
    if (kind === "is-pass") this.isRight();
  }

  isRight() {
    Exercise.right.add(this.name);
    kept.set(`right:${this.name}`, "yes");
    Exercise.count();
  }

  static right = new Set(); // for a browser that keeps nothing

  static count() {
    const boxes = [...document.querySelectorAll('[data-kind="exercise"]')];
    const right = boxes.filter(({ dataset: { name } }) => Exercise.right.has(name) || kept.get(`right:${name}`));
    for (const line of document.querySelectorAll(".exercise-count")) {
      line.textContent = `${right.length} of ${boxes.length} are right so far. Your browser keeps this count and what you type.`;
      line.hidden = false;
    }
  }
}

Workbench.kinds.exercise = Exercise;
Exercise.count();
