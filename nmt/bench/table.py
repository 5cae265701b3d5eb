"""The results of a benchmark as a table for a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table


def render(figures: dict[str, Any]) -> str:
    """Returns the results as a table for a terminal."""
    console = Console(width=100, highlight=False)
    title = f"{figures['machine']}, jax {figures['jax']}"
    table = Table("size", "figure", "value", title=title)
    rate = f"{figures['matrix_gflops']:,.0f} GFLOP/s"
    table.add_row("", f"matrix products, {figures['dtype']}", rate)
    for name, size in figures["sizes"].items():
        table.add_section()
        rows = {
            "sentence pairs per batch and device": f"{size['rows']}",
            "training": f"{size['target_tokens_per_second']:,.0f} target tokens/s",
            "work of training": f"{size['mflop_per_token']:.1f} MFLOP per target token",
            "share of the matrix rate": f"{size['share']:.0%}",
            "compilation of a training step": f"{size['compile_seconds']:.1f} s",
            "compilations": f"{size['compilations']}",
            "memory of a training step per device": f"{size['peak_memory_bytes'] / 1e6:,.1f} MB",
        }
        for beam, rate in size["sentences_per_second"].items():
            work = f"{size['mflop_per_decoded_token'][beam]:.1f} MFLOP per target token"
            rows |= {f"decoding, beam {beam}": f"{rate:,.1f} sentences/s"}
            rows |= {f"work of decoding, beam {beam}": work}
        for number, row in enumerate(rows.items()):
            table.add_row("" if number else name, *row)
    with console.capture() as text:
        console.print(table)
    return text.get().rstrip("\n")
