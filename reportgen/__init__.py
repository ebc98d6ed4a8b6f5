"""Chargeback invoices from Devin ACU consumption that tie out to the vendor's own total."""

__version__ = "0.2.0"
