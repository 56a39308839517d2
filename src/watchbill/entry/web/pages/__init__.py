"""The pages, one file per domain; each lists its addresses in URLS."""
