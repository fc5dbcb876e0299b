"""Documents and scans in; validated, evidence-carrying JSON out."""
