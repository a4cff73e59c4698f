from leads.tests.conftest import marketer

__all__ = ["marketer"]
