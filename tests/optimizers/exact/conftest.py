"""Every test of the exact maximum is run twice, in compiled code and on arrays."""

from tests.compiled import code  # noqa: F401
