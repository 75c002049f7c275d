"""Reads a .pt2 file, an exported program."""

from __future__ import annotations

from pathlib import Path

from torch.export import ExportedProgram

from hinge.network.from_torch.graph import Modules, network_of
from hinge.network.from_torch.node import clean_path, is_activation, module_stack
from hinge.network.from_torch.pt2_archive import load_pt2
from hinge.network.network import Network


def network_from_pt2(path: Path) -> Network:
    """Read a file written by `torch.export.save`."""
    program = load_pt2(path)
    return network_of(program, str(path), _modules(program))


def _modules(program: ExportedProgram) -> Modules:
    """Gather from the program what it still tells of the model's modules."""
    classes = {path: kind for node in program.graph.nodes for path, kind in module_stack(node)}
    paths = {clean_path(entry.fqn) for entry in program.module_call_graph} | set(classes)
    parents = {path.rpartition(".")[0] for path in paths if path}
    owners = {clean_path(name.rpartition(".")[0]) for name, _ in program.named_parameters()}
    return Modules(parents, {path for path in owners if not is_activation(classes.get(path, ""))})
