"""kagari and PyTorch side by side on one machine: `make bench`, `python -m benchmarks --help`.

workloads.py says what is timed and what it may cost, worker.py times it inside one library's
process, report.py lays the figures out; __main__.py alternates the two processes.
"""
