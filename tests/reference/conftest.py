"""Every test of the reference is run twice, in compiled code and on arrays."""

from tests.compiled import code  # noqa: F401
