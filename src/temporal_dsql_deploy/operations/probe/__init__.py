"""The probe: a real worker runs real workflows, since no health check shows a closed path."""
