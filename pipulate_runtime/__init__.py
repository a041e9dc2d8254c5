"""What a ported plugin needs when it runs."""
