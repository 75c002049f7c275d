"""Writes the pages on activations, and all pictures, from records and code: ``make docs``."""

from __future__ import annotations

import runpy
from pathlib import Path

from hinge.activations import Activation, JointActivation, all_kin, joint_card, words
from hinge.activations.card import kinks_table, parameters_table
from hinge.activations.card_parts import Record, names_table
from hinge.activations.families import families
from hinge.activations.picture import picture
from hinge.page import Table, Value
from hinge.report import to_svg, write_text

FOLDER = Path(__file__).parent

JOINT = "Functions of several numbers"

ACTIVATIONS = """\
# The activations

Each is declared once in Hinge, and everything follows from that record: values and
derivatives on NumPy, torch and JAX arrays, range, kinks, traits, Lipschitz constant, Kaiming
gain, what other libraries call it, and this page. `hinge activations` lists them in the
terminal, `hinge activations gelu` shows one, and `hinge activations --compare relu gelu mish`
measures on your machine what they cost and what they do to signals and gradients.

```python
import numpy as np

from hinge.activations import find, gelu

x = np.array([-1.0, 0.0, 1.0])
print(gelu(x).round(4), gelu.derivative(x).round(4))
print(find("Leaky ReLU").kinks(), gelu.range())
```
```text
[-0.1587  0.      0.8413] [-0.0833  0.5     1.0833]
(0.0,) (-0.16997120747990369, inf)
```

Ranges, kinks and traits are those with the default parameters. A round bracket marks an end
that is never reached. Traits: {legend}.
What torch, JAX and Keras take as the derivative at a kink is on a
[page of its own](conventions.md).
"""

CONVENTIONS = """\
# What is the derivative at the kink?

Where the slope of an activation jumps it has no derivative, and yet training needs one: every
library chooses a number. It matters more often than one should think: pre-activations are
exactly 0 in quantised and in narrow arithmetic, in padding, between a ReLU and the next one,
and wherever weights begin at 0.

This is what Hinge chooses, and what torch, JAX and Keras do; **bold** is what differs from
Hinge. A dash marks a library without the function. ONNX defines values only, and leaves
derivatives to whoever runs it. Every record knows its own:

```python
from hinge.activations import hardtanh, relu6

print(relu6.kinks(), [relu6.derivative(at) for at in relu6.kinks()])
print({library: [str(side) for side in sides] for library, sides in hardtanh.conventions.items()})
```
```text
(0.0, 6.0) [0.0, 0.0]
{'torch': ['left', 'right'], 'jax': ['right', 'left'], 'keras': ['right', 'left']}
```

The numbers are those with the default parameters; a library that says *left* takes the slope
on the left of the kink.
"""


def written() -> dict[Path, str]:
    """The text of every file, by its path within the folder of the pages."""
    files = {
        Path("activations.md"): _activations_page(),
        Path("conventions.md"): _conventions_page(),
    }
    for records in families().values():
        for record in records:
            files[_picture_of(record)] = to_svg(picture(record))
    return files | runpy.run_path(str(FOLDER / "draw.py"))["drawn"]()


def _activations_page() -> str:
    legend = ", ".join(f"**{letter}** {trait}" for trait, letter in words.LETTERS.items())
    parts = [ACTIVATIONS.replace("{legend}", legend)]
    for title, records in families().items():
        parts += [f"\n## {title}\n", _overview(records)]
        parts += [_section(record) for record in records]
    parts += [f"\n## {JOINT}\n", _joint_overview()]
    parts += [_joint_section(record) for record in all_kin()]
    return "\n".join(parts)


def _overview(records: tuple[Activation, ...]) -> str:
    rows = [
        (
            f"[`{record.name}`](#{record.name})",
            record.formula,
            words.range_text(record),
            words.kinks_text(record),
            words.traits_text(record) or "–",
            f"`{record.names.torch_module}`" if record.names.torch_module else "–",
        )
        for record in records
    ]
    return _grid(["name", "formula", "range", "kinks", "traits", "torch.nn"], rows)


def _section(record: Activation) -> str:
    lines = [
        f"\n### {record.name}\n",
        f"![{record.title} and its derivative]({_picture_of(record).as_posix()})\n",
        f"**{record.title}**: {record.formula}\n",
        f"- derivative: {words.derivative_text(record)}",
        f"- range {words.range_text(record, 6)}, kinks: {words.kinks_text(record)}",
        f"- {_traits(record)}",
        *_advice(record),
    ]
    if record.parameters:
        lines.append(_table(parameters_table(record)))
    if names_table(record.names).rows:
        lines.append(_table(names_table(record.names)))
    return "\n".join(lines)


def _joint_overview() -> str:
    rows = [
        (
            f"[`{record.name}`](#{record.name})",
            record.formula,
            words.interval_text(*record.range()),
            record.width_change,
            f"`{record.names.torch_module}`" if record.names.torch_module else "–",
        )
        for record in all_kin()
    ]
    return _grid(["name", "formula", "range", "width", "torch.nn"], rows)


def _joint_section(record: JointActivation) -> str:
    lines = [
        f"\n### {record.name}\n",
        f"**{record.title}**: {record.formula}\n",
        *(f"- {name}: {fact}" for name, fact in joint_card.facts(record)),
        *_advice(record),
    ]
    if record.options:
        lines.append(_table(joint_card.options_table(record)))
    if names_table(record.names).rows:
        lines.append(_table(names_table(record.names)))
    return "\n".join(lines)


def _advice(record: Record) -> list[str]:
    return [
        *(f"- good: {sentence}" for sentence in record.advantages),
        *(f"- bad: {sentence}" for sentence in record.drawbacks),
        *([f"- typical use: {record.use}"] if record.use else []),
        f"- source: {record.source}\n",
    ]


def _traits(record: Activation) -> str:
    held = ", ".join(name for name, has in words.traits(record).items() if has) or "none"
    lipschitz, gain = words.digits(record.lipschitz(), 6), words.digits(record.gain, 6)
    return f"traits: {held}; Lipschitz constant {lipschitz}, Kaiming gain {gain}"


def _conventions_page() -> str:
    header = ["activation", "kink", "slope left", "slope right", "Hinge"]
    others = ["torch", "JAX", "Keras"]
    rows = []
    for records in families().values():
        for record in records:
            table = kinks_table(record)
            names = [column.name for column in table.columns]
            for row in table.rows:
                held = {"kink": row[0], **dict(zip(names, row, strict=True))}
                link = f"[`{record.name}`](activations.md#{record.name})"
                chosen = [_compared(held.get(name), row[3]) for name in others]
                chosen.append("values only" if record.names.onnx else "–")
                rows.append((link, *(held[name] for name in header[1:]), *chosen))
    joint = [
        (f"[`{record.name}`](activations.md#{record.name})", record.convention)
        for record in all_kin()
    ]
    several = f"\n## {JOINT}\n\n{_grid(['function', 'derivative where it jumps'], joint)}"
    return f"{CONVENTIONS}\n{_grid([*header, *others, 'ONNX'], rows)}{several}"


def _compared(theirs: Value, ours: Value) -> str:
    if theirs is None:
        return "–"
    return f"{theirs}" if theirs == ours else f"**{theirs}**"


def _picture_of(record: Activation) -> Path:
    return Path("activations", f"{record.name}.svg")


def _table(table: Table) -> str:
    rows = [
        tuple(
            f"`{value}`" if column.kind == "code" else value
            for column, value in zip(table.columns, row, strict=True)
        )
        for row in table.rows
    ]
    return _grid([column.name for column in table.columns], rows)


def _grid(header: list[str], rows: list[tuple[Value, ...]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: Value) -> str:
    return str(value).replace("|", "\\|")


def main() -> None:
    """Write every file that has changed, and remove pictures of what is no more."""
    files = written()
    for path, text in files.items():
        target = FOLDER / path
        target.parent.mkdir(exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_text(target, text)
    for old in FOLDER.glob("*/*.svg"):
        if old.relative_to(FOLDER) not in files:
            old.unlink()


if __name__ == "__main__":
    main()
