"""What every part of the host stands on: contract, messages, security, logs, markup. Imports no other part of the host."""
