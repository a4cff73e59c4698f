"""Figures of the product, each with its yardstick taken in the same run: `make bench`.

Every figure is one JSON line: name, ours, yardstick, ratio, unit. Machines differ and are noisy; the
ratio is what can be compared.
"""
