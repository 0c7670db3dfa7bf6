"""The compiled parts of the package; all else about it is in pyproject.toml.

They are optional: without a C compiler the package is installed without them, and does the same in Python.
"""

from pathlib import Path

from setuptools import Extension, setup

# fused multiplications would round otherwise than numpy; no processor is asked whether a comparison trapped
FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]


def compiled(module: str, source: str) -> Extension:
    """The module that is compiled from one file and the headers beside it."""
    return Extension(
        module,
        [source],
        depends=sorted(map(str, Path(source).parent.glob("*.h"))),
        extra_compile_args=FLAGS,
        py_limited_api=True,
        optional=True,
    )


setup(
    ext_modules=[
        compiled("marketsim.optimizers.exact._compiled", "marketsim/optimizers/exact/c/compiled.c"),
        compiled("marketsim.execution._fill_probability", "marketsim/execution/c/fill_probability.c"),
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
