"""A fleet's summary in words."""

from __future__ import annotations

from hw_sim.fleet.run import Summary


def told(summary: Summary) -> str:
    """A few lines for people."""
    each = ", ".join(f"{name} {spent:.1f}" for name, spent in summary.cpu_s.items())
    lines = [
        f"stations   {summary.stations}, {summary.scenario}, {summary.database}, {summary.took_s:.0f} s",
        f"entries    {summary.entries} in {summary.batches} batches; at most {summary.peak_queue} queued; "
        f"the last {summary.drained_s:.1f} s draining",
        f"processor  {each} s",
    ]
    if summary.bytes_per_entry is not None:
        lines.append(f"database   {summary.bytes_per_entry:.0f} bytes an entry, indices and all")
    if summary.steady_p50_ms is not None and summary.steady_p99_ms is not None:
        lines.append(
            f"live       p50 {summary.steady_p50_ms:.0f} ms, p99 {summary.steady_p99_ms:.0f} ms "
            "from a visit's commit to the city's word"
        )
    if (back := summary.comeback) is not None:
        lines.append(
            f"comeback   {back.connections} connections in {back.window_s:.1f} s from the broker's "
            f"return; busiest second {back.peak_per_s:.0f}, mean {back.mean_per_s:.1f}: "
            f"{back.ratio:.2f} times; {summary.tries} tries in all"
        )
    lines += [f"WRONG      {sentence}" for sentence in summary.wrong]
    if not summary.wrong:
        lines.append("every station's entries are at the city, once")
    return "\n".join(lines)
