"""Commands built on the pipeline: review, watch, `--to-notebook`, the report, the porter that a host calls."""
