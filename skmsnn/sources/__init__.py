"""What data are: arrays, chunks, and rows of conditions."""
