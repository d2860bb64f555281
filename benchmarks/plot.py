"""docs/images/growth.svg, drawn from benchmarks/results/growth.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "growth.svg"
# Ours is drawn strongest; colours that also differ in brightness (Okabe and Ito 2008).
STYLES = {
    "edgedet": {"color": "#d55e00", "linewidth": 2.2, "zorder": 3},
    "OpenCV": {"color": "#0072b2"},
    "OpenCV and NumPy": {"color": "#0072b2"},
    "torchvision": {"color": "#56b4e9"},
    "ONNX Runtime": {"color": "#009e73"},
    "reading once": {"color": "#999999", "linestyle": "--"},
}


def draw(data: dict[str, Any], path: Path = IMAGE) -> None:
    """One small plot for each panel."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "edgedet", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), layout="constrained")
    for axis, (title, panel) in zip(axes.flat, data["panels"].items()):
        _panel(axis, title, panel)
    for axis in axes[:, 0]:
        axis.set_ylabel("milliseconds")
    handles = {handle.get_label(): handle for axis in axes.flat for handle in axis.get_lines()}
    names = [name for name in STYLES if name in handles]
    figure.legend([handles[name] for name in names], names, loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(f"One thread unless the axis says otherwise, {data['machine']}", fontsize=9, color="#555555")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {}, facecolor="white")
    plt.close(figure)
    print(f"wrote {path}")


def _panel(axis: Any, title: str, panel: dict[str, Any]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    for name, points in panel["lines"].items():
        values, times = zip(*points)
        axis.plot(values, times, marker="o", markersize=3, label=name, **{"linewidth": 1.4, **STYLES[name]})
    # A few threads of one kernel are compared by length, sizes by slope.
    if panel["axis"] == "threads":
        axis.set_ylim(bottom=0)
    else:
        axis.set(xscale="log", yscale="log")
    axis.set_xlabel(panel["axis"])
    axis.set_title(title, fontsize=10, loc="left")
    axis.grid(True, which="major", color="#e6e6e6", linewidth=0.7)
    axis.spines[["top", "right"]].set_visible(False)
    ticks = sorted({value for points in panel["lines"].values() for value, _ in points})
    axis.set_xticks(ticks, [_short(tick) for tick in ticks], minor=False)
    axis.set_xticks([], minor=True)
    low, high = axis.get_ylim()
    if axis.get_yscale() == "log":
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _short(count: int) -> str:
    return f"{count // 1000}k" if count >= 1000 and count % 1000 == 0 else str(count)
