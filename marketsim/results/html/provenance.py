"""The provenance of a page: changed settings, versions and fingerprints."""

from __future__ import annotations

from marketsim.results.document import changed
from marketsim.results.schema import BacktestDocument, SymbolDocument
from marketsim.results.text_tables import TextTable
from marketsim.results.wording import in_words


def changed_settings(head: BacktestDocument) -> TextTable | None:
    """The settings that are not at their default; None where all are."""
    rows = [(key, in_words(value)) for key, value in changed(head.settings).items()]
    return TextTable("Changed settings", ("Key", "Value"), rows, words=2) if rows else None


def code(head: BacktestDocument, digest: str) -> TextTable:
    """marketsim, and the plug-ins from outside."""
    rows = [(f"marketsim {head.marketsim}", digest)]
    for name, facts in (head.plugins or {}).items():
        packages = "".join(f", {package} {version}" for package, version in facts.packages.items())
        rows.append((f"{name} {facts.place}", f"{facts.digest or 'no source'}{packages}"))
    return TextTable("Digests of the code", ("Code", "Digest"), rows, words=2)


def identity(symbol: SymbolDocument) -> TextTable:
    """Fingerprints and versions of the inputs of a symbol's result."""
    model = symbol.model
    rows = [
        ("bars", symbol.bars.fingerprint),
        *([("finer bars", symbol.fine.fingerprint)] if symbol.fine else []),
        (f"model {model.name} {model.version}", model.fingerprint),
        *((f"its {name}", in_words(value)) for name, value in model.parameters.items()),
        *symbol.libraries.items(),
    ]
    return TextTable("Fingerprints and versions", ("What", "Value"), rows, words=2)
