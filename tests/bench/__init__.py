"""The benchmark behind `make bench`: what a load costs, beside its limits, its peers, and another commit."""
