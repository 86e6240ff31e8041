"""mithril-elt: usage, cost, uptime and pause credits of Mithril GPUs. The public names; all else is inside."""
