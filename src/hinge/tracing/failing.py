"""What is said when a model cannot be run on the data that were given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hinge.errors import DataError, HingeError
from hinge.tracing.batches import Batch


def no_example() -> DataError:
    """An error about data of which nothing is left to run the model on."""
    return DataError(
        "the data holds no example to run the model on",
        where="data",
        found="none without NaN or infinity",
        do="pass at least one example of finite numbers",
    )


@contextmanager
def explained(batch: Batch, way: str = "", where: str = "data") -> Iterator[None]:
    """Say on what the model failed; ``way`` is what else could be tried, ``where`` the place."""
    try:
        yield
    except HingeError:
        raise
    except Exception as error:
        shapes = ", ".join(str(tuple(x.shape)) for x in batch.tensors)
        message = str(error).strip().splitlines() or [""]
        raise DataError(
            "the model cannot run on a batch of the data",
            where=where,
            found=f"input of shape {shapes}; {type(error).__name__}: {message[0]}",
            do=f"pass data of the shape and type that the model takes{way}",
        ) from error
