"""The figures of one run as a table, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.measure import Against, Outcome

HEADER = ("case", "against", "ours", "theirs", "ratio", "bar", "verdict")


def rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, ...]]:
    """One line of cells for each peer and each floor."""
    for outcome in outcomes:
        if outcome.skipped:
            yield (outcome.name, "", f"skipped: {outcome.skipped}", *[""] * 4)
        for against in outcome.against:
            yield (outcome.name, *_cells(outcome, against))


def _cells(outcome: Outcome, against: Against) -> Sequence[str]:
    if against.skipped or outcome.ms is None or against.ms is None:
        return (against.name, "", f"skipped: {against.skipped}", "", bar(against), "")
    verdict = {None: "", True: "reached", False: "MISSED"}[against.verdict]
    return (against.name, time(outcome.ms), time(against.ms), ratio(against), bar(against), verdict)


def summary(outcomes: Iterable[Outcome]) -> str:
    """What a run that timed nothing has seen: answers, and what was left out."""
    found = list(outcomes)
    peers = [against for outcome in found for against in outcome.against if against.kind == "peer"]
    words = [f"{sum(not outcome.skipped for outcome in found)} right answers"]
    if peers:
        words.append(f"{sum(not peer.skipped for peer in peers)} times a peer's answer was the same")
    skipped = {f"{outcome.name}: {outcome.skipped}" for outcome in found if outcome.skipped}
    skipped |= {f"{peer.name}: {peer.skipped}" for peer in peers if peer.skipped}
    return "; ".join([*words, *(f"skipped: {word.removeprefix(': ')}" for word in sorted(skipped))])


def time(ms: float) -> str:
    """With three figures that count."""
    rounded = float(f"{ms:.3g}")
    if rounded >= 1000:
        return f"{rounded / 1e3:g} s"
    return f"{rounded:g} ms" if rounded >= 1 else f"{rounded * 1e3:.3g} µs"


def ratio(against: Against) -> str:
    """How many times as fast as a peer; how many times a floor."""
    if against.ratio is None:
        return ""
    if against.kind == "floor" and against.bar is not None and against.bar < 1:
        return f"{against.ratio * 100:.2f} %"
    return f"{against.ratio:.2f} ×" if against.ratio < 10 else f"{float(f'{against.ratio:.3g}'):g} ×"


def bar(against: Against) -> str:
    """What the ratio should be."""
    if against.bar is None:
        return ""
    sign = "≥" if against.kind == "peer" else "≤"
    return f"{sign} {against.bar * 100:g} %" if against.bar < 1 else f"{sign} {against.bar:g} ×"


def text(table: Sequence[Sequence[str]]) -> str:
    """Columns under one another; a cell like the one above it is left empty in the first column."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines, above = [], None
    for row in table:
        shown = ["" if row[0] == above else row[0], *row[1:]]
        above = row[0]
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(shown, widths)).rstrip())
    return "\n".join(lines)
