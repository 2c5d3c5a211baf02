// Sliders over drawn frames: no kernel, no library, no other host.
"use strict";

class Explorer {
  constructor(figure) {
    this.figure = figure;
    this.folder = figure.dataset.folder + "/";
    this.table = JSON.parse(figure.querySelector("script").textContent);
    this.sliders = [...figure.querySelectorAll("input")];
    this.picture = figure.querySelector("img");
    this.caption = figure.querySelector(".said");
    this.kept = new Map(); // pictures by name, loaded or on their way
    for (const slider of this.sliders) {
      slider.addEventListener("input", () => this.move(slider));
      slider.addEventListener("change", () => this.remember());
      for (const kind of ["focus", "pointerenter"]) {
        slider.addEventListener(kind, () => this.prefetch(slider));
      }
    }
    figure.querySelector(".stops").hidden = false;
  }

  // The frame at these slider positions; the last axis varies fastest.
  frame(at) {
    const { stops, frames } = this.table;
    return frames[at.reduce((sum, i, axis) => sum * stops[axis].length + i, 0)];
  }

  positions() {
    return this.sliders.map((slider) => Number(slider.value));
  }

  load(name) {
    if (!this.kept.has(name)) {
      const image = new Image();
      // What could not be had is asked for again at the next visit.
      image.addEventListener("error", () => this.kept.delete(name));
      image.src = this.folder + name;
      this.kept.set(name, image);
    }
    return this.kept.get(name);
  }

  move(slider) {
    this.label(slider);
    this.show();
    this.prefetch(slider);
  }

  label(slider) {
    const axis = this.sliders.indexOf(slider);
    const text = this.table.values[axis][slider.value];
    slider.setAttribute("aria-valuetext", text);
    slider.nextElementSibling.textContent = text;
  }

  // Picture and sentence change together, as soon as the picture is there.
  show() {
    const frame = (this.wanted = this.frame(this.positions()));
    const [name, sentence] = frame;
    const image = this.load(name);
    const swap = () => {
      if (this.wanted !== frame) return; // the reader moved on
      this.figure.removeAttribute("aria-busy");
      this.picture.src = image.src;
      this.picture.alt = sentence;
      this.caption.textContent = sentence;
    };
    if (image.complete) return swap();
    this.figure.setAttribute("aria-busy", "true");
    image.addEventListener("load", swap, { once: true });
    image.addEventListener("error", swap, { once: true });
  }

  // The stops next to this slider's: one new picture a move.
  prefetch(slider) {
    const axis = this.sliders.indexOf(slider);
    const at = this.positions();
    for (const step of [-1, 1]) {
      const next = [...at];
      next[axis] += step;
      if (this.table.stops[axis][next[axis]] !== undefined) {
        this.load(this.frame(next)[0]);
      }
    }
  }

  // The address of these stops: #explore-memory?max_loras=8&model=...
  remember() {
    const stops = new URLSearchParams();
    this.sliders.forEach((slider, axis) => {
      stops.set(slider.name, this.table.stops[axis][slider.value]);
    });
    history.replaceState(null, "", `#${this.figure.id}?${stops}`);
  }

  // Go to the stops of a link; what it does not name or know stays.
  open(query) {
    const wanted = new URLSearchParams(query);
    this.sliders.forEach((slider, axis) => {
      const stop = this.table.stops[axis].findIndex((known) =>
        wanted.getAll(slider.name).some(
          (text) => text && (text === known || Number(text) === known)
        )
      );
      if (stop >= 0) slider.value = stop;
      this.label(slider);
    });
    this.show();
    this.figure.scrollIntoView();
  }
}

function openLink(explorers) {
  // Some chat programs write ? and = as %3F and %3D.
  const hash = location.hash.slice(1).replace(/%3F/i, "?");
  const [id, query] = hash.split("?", 2);
  const linked = explorers.find((explorer) => explorer.figure.id === id);
  if (linked && query) linked.open(query.replace(/%3D/gi, "=").replace(/%26/gi, "&"));
}

const figures = document.querySelectorAll("figure.multilora[data-folder]");
const explorers = [...figures].map((figure) => new Explorer(figure));
openLink(explorers);
window.addEventListener("hashchange", () => openLink(explorers));
