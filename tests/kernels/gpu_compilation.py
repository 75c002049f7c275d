"""Compiles Triton kernels for a GPU that need not be there: what the interpreter cannot judge.

Each is compiled to the processor's code as it is launched, with sizes of 1 as Triton treats
them: as constants.
"""

from triton import compile as triton_compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from hinge.kernels.gpu.elementwise import KERNELS
from hinge.kernels.gpu.gated import GATES
from hinge.kernels.gpu.launch import ROUNDED, TILE
from hinge.kernels.gpu.per_channel import FUNCTIONS
from hinge.kernels.gpu.programs import concatenated, elementwise, gated, per_channel, random

AMPERE = GPUTarget("cuda", 80, 32)
NARROW, WIDE = {"TALL": 16, "WIDE": TILE // 16}, {"TALL": 1, "WIDE": TILE}
ONE = {"rows": 1}


def build(kernel, types, **constants):
    """Compile a kernel whose other arguments have the given types, in order."""
    given = iter(types.split())
    signature = {
        name: "constexpr" if name in constants else next(given) for name in kernel.arg_names
    }
    numbers = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(kernel, signature, numbers)
    built = triton_compile(source, target=AMPERE, options=ROUNDED)
    assert built.asm["cubin"]


def main():
    f, b = "*fp32", "*bf16"
    for name in ("silu", "gelu", "gelu_tanh", "squareplus"):
        kernel = KERNELS[name]
        build(elementwise.values, f"{b} {b} i64 fp32 fp32", FUNCTION=kernel.value, BLOCK=TILE)
        build(elementwise.gradients, f"{f} {f} {f} i32 fp32 fp32", SLOPE=kernel.slope, BLOCK=TILE)
    for name, sizes in (("swiglu", NARROW), ("reglu", {**WIDE, **ONE})):
        gate = GATES[name]
        shared = {"GATE": gate.value, "HINGED": gate.hinged, **sizes}
        counted = " i32" * (2 if "rows" in sizes else 3)
        build(gated.values, f"{b} {b} {b}{counted}", **shared)
        build(gated.gradients, f"{f} {f} {f} {f} {f}{counted}", SLOPE=gate.slope, **shared)
    build(concatenated.crelu, f"{f} {f} i32 i32", **NARROW)
    build(concatenated.crelu_backward, f"{b} {b} {b} i32", **WIDE, **ONE)
    for seed in ("i32", "i64"):
        build(random.rrelu, f"{f} {f} i32 fp32 fp32 {seed}", COUNTERS=TILE // 4)
        build(random.rrelu_backward, f"{b} {b} {b} i32 fp32 fp32 {seed}", COUNTERS=TILE // 4)
    for function in FUNCTIONS.values():
        shared = {"COUNT": function.parameters, **NARROW}
        build(
            per_channel.values,
            f"{f} {f} {f} i32 i32 i32 i32",
            FUNCTION=function.value,
            ALONG=False,
            **shared,
        )
        shared["DERIVATIVES"] = function.derivatives
        build(per_channel.gradients_along, f"{f} {f} {f} {f} {f} i32 i32 i32 i32", **shared)
        build(
            per_channel.gradients_across, f"{b} {b} {b} {f} {f} i32 i32 i32 i32 i32 i32", **shared
        )
    ones = {"rows": 1, "columns": 1, "channels": 1, "plane": 1}
    prelu = FUNCTIONS["prelu"]
    build(
        per_channel.gradients_along,
        f"{f} {f} {f} {f} {f}",
        COUNT=1,
        DERIVATIVES=prelu.derivatives,
        **WIDE,
        **ones,
    )


if __name__ == "__main__":
    main()
