"""One more day on a history, beside building everything from nothing: ingest and features."""
