"""Files of a run on disk: working folder, uploads, large outputs, secrets in memory; and forms as they were sent."""
