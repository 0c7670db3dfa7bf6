"""The compiled parts of the package, and where it is released from; all else about it is in pyproject.toml.

They are optional: without a C compiler the package is installed without them, and does the same in Python.
"""

import os
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

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


class BuildOptional(build_ext):
    """A wheel in which nothing could be compiled is one for every platform."""

    def run(self) -> None:
        """Compile what can be compiled, and look whether anything was."""
        super().run()
        wheel = self.distribution.get_command_obj("bdist_wheel", create=False)
        if wheel and not any(map(os.path.exists, self.get_outputs())):
            self.distribution.ext_modules, wheel.root_is_pure = [], True


def addresses() -> dict[str, str]:
    """The pages of the repository whose workflow builds a release; none for what is built elsewhere."""
    if not (repository := os.environ.get("GITHUB_REPOSITORY")):
        return {}
    home = f"{os.environ['GITHUB_SERVER_URL']}/{repository}"
    changes, pages = f"{home}/blob/HEAD/docs/CHANGELOG.md", f"{home}/tree/HEAD/docs"
    return {"Source": home, "Documentation": pages, "Changelog": changes, "Issues": f"{home}/issues"}


setup(
    ext_modules=[
        compiled("marketsim.optimizers.exact._compiled", "marketsim/optimizers/exact/c/compiled.c"),
        compiled("marketsim.execution._fill_probability", "marketsim/execution/c/fill_probability.c"),
        compiled("marketsim.execution._lattices", "marketsim/execution/c/lattices.c"),
    ],
    cmdclass={"build_ext": BuildOptional},
    project_urls=addresses(),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
