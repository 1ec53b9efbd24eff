"""What happened in each rehearsal and live run: kept as records, reviewed, compared, and packed as evidence."""
