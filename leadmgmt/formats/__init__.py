"""How dates are written everywhere: 22 Nov 2026, 14:05. Day before month by name and 24 hours, which nobody reads wrongly."""
