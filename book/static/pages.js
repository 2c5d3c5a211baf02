// What the theme leaves open on a page.
"use strict";

// From a file, a page may not fetch another one to quote it in the results.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// What scrolls sideways must be reachable by keyboard.
function letWideOnesFocus() {
  for (const box of document.querySelectorAll(".bd-article :is(.highlight pre, table, .formula)")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
letWideOnesFocus();
window.addEventListener("resize", letWideOnesFocus);
// A fold that opens shows boxes that had no width before.
document.addEventListener("toggle", letWideOnesFocus, true);

// A link to a name opens the fold that holds it.
function openFoldOfTarget() {
  let name = location.hash.slice(1);
  try {
    name = decodeURIComponent(name);
  } catch {
    return; // no name of ours is written like this
  }
  const target = document.getElementById(name);
  const fold = target?.closest("details:not([open])");
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
}
openFoldOfTarget();
window.addEventListener("hashchange", openFoldOfTarget);
