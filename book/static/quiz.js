// Quizzes: an answer is checked in the page and gets a reason. No request.
"use strict";

const NUMBER = /^[+-]?(?=\.?\d)(\d{1,3}(,\d{3})+|\d*)(\.\d*)?(e[+-]?\d{1,2})?$/i;

// The number that was typed, or a sentence that says why it is none.
function numberOf(text, unit) {
  if (!text.trim()) return "Type a number first.";
  const [, typed = "", given] = text
    .replace(/[\u2212\u2013]/g, "-") // signs that are printed for a minus
    .replace(/(\d)[\s'\u2019](?=\d{3}(\D|$))/g, "$1") // 1 234 and 1'234
    .match(/^\s*(.*[\d.])?\s*([^\d.]*?)\s*$/);
  const isInUnit = unit.toLowerCase().startsWith(given.toLowerCase());
  if (NUMBER.test(typed) && isInUnit) return Number(typed.replace(/,/g, ""));
  if (NUMBER.test(typed)) return `The answer is asked in ${unit}: type a number of ${unit}.`;
  return /^[+-]?\d+,\d+$/.test(typed)
    ? `Type a point before the decimals, as in ${typed.replace(",", ".")}.`
    : `“${text.trim()}” is no number. Type digits, as in 1234 or 1.5.`;
}

class Question {
  constructor(form, bands) {
    Object.assign(this, form.dataset, { form, bands });
    this.said = form.querySelector(".said");
    this.fold = form.querySelector(".answers");
    this.answers = [...this.fold.querySelectorAll("li")];
    this.right = this.answers.find((answer) => "right" in answer.dataset);
    this.inputs = [...form.querySelectorAll("input")];
    for (const part of form.querySelectorAll(".check, .entry")) {
      part.hidden = part.disabled = false;
    }
    this.clear();
  }

  get given() {
    if (this.kind !== "choice") return this.inputs[0].value;
    return this.inputs.find((input) => input.checked)?.value ?? "";
  }

  set given(text) {
    if (this.kind !== "choice") this.inputs[0].value = text;
    else for (const input of this.inputs) input.checked = input.value === text;
  }

  clear() {
    this.verdict = this.form.dataset.verdict = this.said.textContent = "";
    this.fold.hidden = true;
  }

  check() {
    const answer = this.kind === "choice" ? this.chosen() : this.judged();
    this.clear();
    if (typeof answer === "string") return void (this.said.textContent = answer);
    this.verdict = answer === this.right ? "right" : "wrong";
    this.form.dataset.verdict = this.verdict;
    const told = document.createElement("strong");
    told.textContent = this.verdict === "right" ? "Right. " : "No. ";
    const reason = answer.querySelector?.(".reason").cloneNode(true);
    this.said.replaceChildren(told, reason ?? answer.words);
    this.fold.hidden = false;
  }

  chosen() {
    const given = this.given;
    const answer = this.answers.find((one) => one.dataset.value === given);
    return answer ?? "Choose an answer first.";
  }

  // As multilora.exercises.answers.Number judges it.
  judged() {
    const value = numberOf(this.given, this.unit);
    if (typeof value === "string") return value;
    const isNear = ({ dataset: { number } }) =>
      Math.abs(value - number) <= this.within * Math.max(Math.abs(value), Math.abs(number));
    const words = `${this.given.trim()}: ${this.distance(value)}.`;
    return this.answers.find(isNear) ?? { words };
  }

  // As multilora.exercises.compare.distance says it.
  distance(value) {
    if (this.kind === "whole" && !Number.isInteger(value)) return "a whole number is wanted";
    const wanted = Number(this.right.dataset.number);
    const side = value > wanted ? "too large" : "too small";
    const factor = Math.max(value / wanted, wanted / value);
    const band = this.bands.find(([most]) => most === null || factor <= most);
    return value * wanted > 0 ? `${side}, ${band[1]}` : side;
  }
}

class Quiz {
  constructor(root) {
    this.key = `quiz ${root.dataset.quiz}`;
    this.score = root.querySelector(".score");
    const bands = JSON.parse(root.dataset.bands);
    const forms = [...root.querySelectorAll(".question")];
    this.questions = forms.map((form) => new Question(form, bands));
    this.restore();
    root.addEventListener("submit", (event) => this.after(event, "check"));
    root.addEventListener("input", (event) => this.after(event, "clear"));
    root.querySelector(".again").addEventListener("click", () => this.again());
  }

  after(event, act) {
    event.preventDefault();
    this.questions.find(({ form }) => form === event.target.closest("form"))[act]();
    this.keep();
  }

  // A browser may refuse to keep anything, or hold what no quiz has kept.
  keep() {
    this.count();
    const kept = this.questions.map((one) => one.verdict && one.given);
    try {
      localStorage.setItem(this.key, JSON.stringify(kept));
    } catch {}
  }

  restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key)) ?? [];
      this.questions.forEach((one, place) => {
        if (!kept[place]) return;
        one.given = String(kept[place]);
        one.check();
      });
    } catch {}
    this.count();
  }

  count() {
    const right = this.questions.filter((one) => one.verdict === "right").length;
    this.score.hidden = !this.questions.some((one) => one.verdict);
    this.score.firstChild.textContent = `${right} of ${this.questions.length} right`;
  }

  again() {
    for (const one of this.questions) {
      one.given = "";
      one.clear();
    }
    this.keep();
    this.questions[0].inputs[0].focus();
  }
}

for (const root of document.querySelectorAll(".quiz[data-bands]")) new Quiz(root);
