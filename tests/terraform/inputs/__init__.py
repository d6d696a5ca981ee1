"""What every module, account and environment takes and refuses, as tables of cases."""
