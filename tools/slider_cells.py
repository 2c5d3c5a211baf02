"""The notebook that slider_speed.py drives, and what it watches there."""

# One cell each: a slider that only echoes its number, explore, explore that
# draws nothing ahead, plain interact, and what a frame costs in the kernel.
ECHO = """\
import ipywidgets as widgets
from IPython.display import display
slider = widgets.IntSlider(0, 0, 500)
echo = widgets.HTML("0")
slider.observe(lambda change: setattr(echo, "value", str(change.new)), "value")
display(widgets.VBox([slider, echo]))"""
EXPLORE = """\
from multilora.explore import sliders
from multilora.figures import lab03, lab04
draw, axes = {draw}, {axes}
start = {{axis: stops[0] for axis, stops in axes.items()}}
sliders.explore(draw, start=start, **axes)"""
COLD = """\
from multilora.explore.ahead import Ahead
class Never(Ahead):
    def expect(self, frames):
        pass
sliders.Ahead = Never
sliders.explore(draw, start=start, **axes)"""
INTERACT = """\
import matplotlib.pyplot as plt
from multilora.figures.style import SIZE, STYLE
def plain(**stops):
    with plt.style.context(STYLE):
        print(draw(plt.figure(figsize=SIZE), **stops))
        plt.show()
widgets.interact(plain, **{
    axis: widgets.SelectionSlider(options=stops)
    for axis, stops in axes.items()});"""
SPLIT = """\
import io, json, statistics, time
import matplotlib as mpl
from multilora.explore.explorer import Explorer
from multilora.figures.style import new_figure
figure, spent = new_figure(), []
with mpl.rc_context(fname=STYLE):
    for stops in Explorer.of(draw, axes, start).combinations()[:30]:
        begun = time.perf_counter()
        draw(figure, **stops)
        drawn = time.perf_counter()
        figure.savefig(io.StringIO(), format="svg")
        spent.append((drawn - begun, time.perf_counter() - drawn))
print(json.dumps([1000 * statistics.median(x) for x in zip(*spent)]))"""
ORDER = ("echo", "explore", "cold", "interact")


def cells(draw, axes):
    """Return the sources of the notebook's cells."""
    filled = EXPLORE.format(draw=draw, axes=axes)
    return [ECHO, filled, COLD, INTERACT, SPLIT]


# Promises, as window.took, the ms from the next key in a cell until what the
# cell shows is another picture (the echo: another number).
WATCH = """cell => {
  const area = document.querySelectorAll('.jp-CodeCell')[cell];
  const shown = () =>
    (area.querySelector('figure.multilora svg')?.outerHTML
     ?? area.querySelector('.jp-OutputArea img')?.src
     ?? area.querySelector('.widget-html-content')?.textContent);
  const before = shown();
  window.took = new Promise(done => {
    let begun;
    area.addEventListener('keydown', () => begun = performance.now(),
                          {capture: true, once: true});
    const watch = new MutationObserver(() => {
      const now = shown();
      if (!now || now === before) return;
      watch.disconnect();
      done(performance.now() - begun);
    });
    watch.observe(area, {subtree: true, childList: true, attributes: true,
                         characterData: true});
  });
}"""
