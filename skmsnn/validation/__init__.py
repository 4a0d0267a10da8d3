"""What a fit leaves where fresh points fall, how sure that is, and why a fit ended."""
