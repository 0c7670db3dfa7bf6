"""The compiled part of the package; all else about it is in pyproject.toml.

It is optional: without a C compiler the package is installed without it, and does the same in Python.
"""

from pathlib import Path

from setuptools import Extension, setup

CODE = Path("marketsim/optimizers/exact/c")

setup(
    ext_modules=[
        Extension(
            "marketsim.optimizers.exact._compiled",
            [f"{CODE}/compiled.c"],
            depends=sorted(map(str, CODE.glob("*.h"))),
            # fused multiplications would round otherwise than numpy; no processor is asked whether a comparison trapped
            extra_compile_args=["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
